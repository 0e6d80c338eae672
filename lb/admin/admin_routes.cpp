#include "lb/admin/admin_routes.h"

#include <arpa/inet.h>

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
    "  /api/v1/status  what `weir status` shows, as JSON\n";

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

AdminAnswer metrics_answer(const LiveView& view, const Metrics& metrics) {
  PrometheusText text;
  write_metrics(text, metrics);
  write_live_metrics(text, view.look());
  write_process_metrics(text);
  return {200, "text/plain; version=0.0.4; charset=utf-8", text.text()};
}

// "host:port", "[::1]:port", "host" → the host alone.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_address(std::string_view host) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

AdminAnswer refusal(int status, std::string body) {
  AdminAnswer answer;
  answer.status = status;
  answer.body = std::move(body) + "\n";
  return answer;
}

}  // namespace

AdminAnswer answer_admin(std::string_view path, const LiveView& view, const Metrics& metrics) {
  AdminAnswer answer;
  if (path == "/livez") {
    answer.body = "ok\n";
    return answer;
  }
  if (path == "/readyz") return readyz(view.look());
  if (path == "/metrics") return metrics_answer(view, metrics);
  if (path == "/api/v1/status") return {200, "application/json", instance_json(view.look()) + "\n"};
  answer.body = kIndex;
  if (path != "/") answer.status = 404;
  return answer;
}

AdminAnswer admit_admin(const AdminRequest& request, bool is_unix, std::string_view own_host) {
  const std::string_view host = host_of(request.host);
  const bool is_known =
      host == "localhost" || is_address(host) || (!own_host.empty() && host == own_host);
  if (!is_unix && !is_known) {
    return refusal(403, "this Host is not one of the admin side; use its address or localhost");
  }
  const size_t scheme = request.origin.find("://");
  const bool is_foreign =
      !request.origin.empty() &&
      (scheme == std::string_view::npos || request.origin.substr(scheme + 3) != request.host);
  if (is_foreign) return refusal(403, "requests of other sites' pages are refused");
  if (request.method != "GET" && request.method != "HEAD")
    return refusal(405, "only GET is supported");
  if (request.has_body) return refusal(413, "no body is expected");
  return {};
}

}  // namespace weir
