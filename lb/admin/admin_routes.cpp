#include "lb/admin/admin_routes.h"

#include <algorithm>
#include <array>

#include "lb/admin/instance_json.h"
#include "lb/admin/live_metrics.h"
#include "lb/observe/prometheus_text.h"

namespace weir {
namespace {

constexpr std::string_view kIndex =
    "weir's admin side\n"
    "  /livez          200 while the process answers\n"
    "  /readyz         200 while every pool has a ready backend, else why not\n"
    "  /metrics        for Prometheus\n"
    "  /api/v1/status  what `weir status` shows, as JSON\n"
    "  POST /api/v1/backends/B/drain    B gets no more requests and finishes what it has\n"
    "  POST /api/v1/backends/B/undrain  it gets requests again\n";
constexpr std::array<std::string_view, 5> kReadable{"/", "/livez", "/readyz", "/metrics",
                                                    "/api/v1/status"};

bool is_readable(std::string_view path) {
  return std::ranges::find(kReadable, path) != kReadable.end();
}

AdminAnswer unknown(std::string_view path) {
  if (path.starts_with("/api/"))
    return refusal(path, 404, "no_such_path", "there is nothing here", "GET / lists the paths");
  AdminAnswer answer;
  answer.status = 404;
  answer.body = kIndex;
  return answer;
}

size_t ready_backends(const PoolView& pool) {
  return static_cast<size_t>(
      std::ranges::count(pool.backends, BackendStateName::ready, &BackendView::state));
}

AdminAnswer readyz(const InstanceView& view) {
  AdminAnswer answer;
  if (view.is_draining) {
    answer.status = 503;
    answer.body += "draining\n";
  }
  for (const PoolView& pool : view.pools) {
    if (ready_backends(pool) > 0) continue;
    answer.status = 503;
    answer.body += "pool " + pool.name + ": no backend is ready\n";
    for (const BackendView& backend : pool.backends) {
      answer.body += "  " + backend.id + " " + std::string(to_string(backend.state));
      answer.body += backend.reason.empty() ? "\n" : ": " + backend.reason + "\n";
    }
  }
  if (answer.status == 200) answer.body = "ready\n";
  return answer;
}

AdminAnswer metrics_answer(const LiveView& view, const MetricsSource& metrics) {
  PrometheusText text;
  write_metrics(text, metrics.metrics());
  write_live_metrics(text, view.look());
  write_process_metrics(text);
  AdminAnswer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = text.text();
  return answer;
}

}  // namespace

AdminAnswer answer_admin(std::string_view path, const LiveView& view,
                         const MetricsSource& metrics) {
  AdminAnswer answer;
  if (path == "/livez") {
    answer.body = "ok\n";
    return answer;
  }
  if (path == "/readyz") return readyz(view.look());
  if (path == "/metrics") return metrics_answer(view, metrics);
  if (path == "/api/v1/status") {
    answer.content_type = "application/json";
    answer.body = instance_json(view.look()) + "\n";
    return answer;
  }
  if (path != "/") return unknown(path);
  answer.body = kIndex;
  return answer;
}

AdminAnswer refuse_post(std::string_view path) {
  if (!is_readable(path)) return unknown(path);
  AdminAnswer answer = refusal(path, 405, "method_not_allowed", "this can only be read, by GET");
  answer.allow = "GET, HEAD";
  return answer;
}

}  // namespace weir
