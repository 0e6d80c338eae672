#include "lb/observe/prometheus_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace weir {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() ? std::string(digits.data(), end) : "NaN";
}

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

// Calls fn(pool, backend, metrics) for each backend.
template <typename Fn>
void each_backend(const Metrics& metrics, const Fn& fn) {
  for (const auto& [pool_name, pool] : metrics.pools()) {
    for (const auto& [id, backend] : pool.backends) fn(pool_name, id, backend);
  }
}

constexpr std::array<std::string_view, kStatusClasses> kClassNames{"none", "1xx", "2xx",
                                                                   "3xx",  "4xx", "5xx"};

void write_requests(PrometheusText& out, const Metrics& metrics) {
  out.family("weir_requests_total", "counter",
             "Requests that ended, by the class of their status.");
  each_backend(metrics,
               [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
                 for (size_t i = 0; i < kStatusClasses; ++i) {
                   for (size_t stream = 0; stream < 2; ++stream) {
                     if (of.requests[i][stream] == 0) continue;
                     out.sample({{"pool", pool},
                                 {"backend", id},
                                 {"status", kClassNames[i]},
                                 {"stream", stream == 1 ? "true" : "false"}},
                                of.requests[i][stream]);
                   }
                 }
               });
  out.family("weir_request_failures_total", "counter",
             "Requests that ended with an error, by its kind.");
  each_backend(
      metrics, [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
        for (size_t i = 0; i < kFailureReasons; ++i) {
          if (of.failures[i] == 0) continue;
          const std::string_view reason =
              i == kErrorKinds ? "stream_error" : name(static_cast<ErrorKind>(i));
          out.sample({{"pool", pool}, {"backend", id}, {"reason", reason}}, of.failures[i]);
        }
      });
  out.family("weir_retries_total", "counter", "Sends of a request beyond its first.");
  each_backend(metrics,
               [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
                 out.sample({{"pool", pool}, {"backend", id}}, of.retries);
               });
}

void write_tokens(PrometheusText& out, const Metrics& metrics) {
  out.family("weir_tokens_total", "counter", "Tokens by the usage that answers carried.");
  each_backend(
      metrics, [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
        out.sample({{"pool", pool}, {"backend", id}, {"kind", "prompt"}}, of.tokens_in);
        out.sample({{"pool", pool}, {"backend", id}, {"kind", "completion"}}, of.tokens_out);
      });
  out.family("weir_tokens_wasted_total", "counter",
             "Tokens or events of streams that did not end well.");
  each_backend(metrics,
               [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
                 out.sample({{"pool", pool}, {"backend", id}, {"reason", "client_gone"}},
                            of.tokens_wasted_client_gone);
                 out.sample({{"pool", pool}, {"backend", id}, {"reason", "interrupted"}},
                            of.tokens_wasted_interrupted);
               });
  out.family("weir_bytes_total", "counter", "Bytes of bodies: in from clients, out to them.");
  each_backend(metrics,
               [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
                 out.sample({{"pool", pool}, {"backend", id}, {"direction", "in"}}, of.bytes_in);
                 out.sample({{"pool", pool}, {"backend", id}, {"direction", "out"}}, of.bytes_out);
               });
}

void write_states(PrometheusText& out, const Metrics& metrics) {
  out.family("weir_backend_state_changes_total", "counter",
             "Changes of a backend's state, by the new one.");
  each_backend(metrics, [&out](const std::string& pool, const std::string& id,
                               const BackendMetrics& of) {
    for (size_t i = 0; i < kBackendStates; ++i) {
      if (of.state_changes[i] == 0) continue;
      out.sample(
          {{"pool", pool}, {"backend", id}, {"to", to_string(static_cast<BackendStateName>(i))}},
          of.state_changes[i]);
    }
  });
}

void write_histograms(PrometheusText& out, const Metrics& metrics) {
  out.family("weir_time_to_first_token_seconds", "histogram",
             "From the head of a streamed request to the first event of its answer.");
  each_backend(metrics,
               [&out](const std::string& pool, const std::string& id, const BackendMetrics& of) {
                 out.histogram({{"pool", pool}, {"backend", id}}, of.time_to_first_token);
               });
  out.family("weir_inter_token_latency_seconds", "histogram",
             "The mean gap between two events of a stream, counted once a gap.");
  for (const auto& [pool, of] : metrics.pools())
    out.histogram({{"pool", pool}}, of.all.inter_token_latency);
  out.family("weir_request_duration_seconds", "histogram",
             "From the head of a request to the end of its answer.");
  for (const auto& [pool, of] : metrics.pools())
    out.histogram({{"pool", pool}}, of.all.request_duration);
  out.family("weir_queue_wait_seconds", "histogram", "How long a request waited for a backend.");
  for (const auto& [pool, of] : metrics.pools()) out.histogram({{"pool", pool}}, of.all.queue_wait);
  out.family(
      "weir_proxy_overhead_seconds", "histogram",
      "From having a backend to sending to it: weir's own work, and a connection if need be.");
  for (const auto& [pool, of] : metrics.pools())
    out.histogram({{"pool", pool}}, of.all.proxy_overhead);
  out.family("weir_event_loop_lag_seconds", "histogram",
             "How late the event loops of the workers came to a timer while they had requests.");
  out.histogram({}, metrics.loop_lag());
}

}  // namespace

void PrometheusText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP ";
  text_ += name;
  text_ += ' ';
  text_ += help;
  text_ += "\n# TYPE ";
  text_ += name;
  text_ += ' ';
  text_ += type;
  text_ += '\n';
}

void PrometheusText::sample(Labels labels, uint64_t value) {
  begin("", labels);
  text_ += ' ' + std::to_string(value) + '\n';
}

void PrometheusText::sample(Labels labels, double value) {
  begin("", labels);
  end(value);
}

void PrometheusText::histogram(Labels labels, const Histogram& histogram) {
  uint64_t below = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    below += histogram.counts()[i];
    const bool is_last = i == histogram.edges().size();
    begin("_bucket", labels, is_last ? "+Inf" : number_text(histogram.edges()[i]));
    text_ += ' ' + std::to_string(below) + '\n';
  }
  begin("_sum", labels);
  end(histogram.sum());
  begin("_count", labels);
  text_ += ' ' + std::to_string(histogram.count()) + '\n';
}

void PrometheusText::begin(std::string_view suffix, Labels labels, std::string_view edge) {
  text_ += name_;
  text_ += suffix;
  if (labels.size() == 0 && edge.empty()) return;
  char mark = '{';
  for (const auto& [name, value] : labels) {
    text_ += mark;
    text_ += name;
    text_ += "=\"";
    append_label_value(text_, value);
    text_ += '"';
    mark = ',';
  }
  if (!edge.empty()) {
    text_ += mark;
    text_ += "le=\"";
    text_ += edge;
    text_ += '"';
  }
  text_ += '}';
}

void PrometheusText::end(double value) {
  text_ += ' ';
  text_ += number_text(value);
  text_ += '\n';
}

void write_metrics(PrometheusText& out, const Metrics& metrics) {
  write_requests(out, metrics);
  write_tokens(out, metrics);
  write_states(out, metrics);
  write_histograms(out, metrics);
}

}  // namespace weir
