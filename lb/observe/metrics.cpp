#include "lb/observe/metrics.h"

#include <algorithm>

namespace weir {
namespace {

// vLLM's edges, so that panels can lay proxy and engine over each other.
constexpr std::array<double, 22> kFirstTokenEdges{
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25,  0.5,   0.75,
    1.0,   2.5,   5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0};
constexpr std::array<double, 19> kTokenEdges{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                             0.3,  0.4,   0.5,  0.75,  1.0, 2.5,  5.0,
                                             7.5,  10.0,  20.0, 40.0,  80.0};
constexpr std::array<double, 21> kRequestEdges{0.3,  0.5,   0.8,   1.0,   1.5,   2.0,    2.5,
                                               5.0,  10.0,  15.0,  20.0,  30.0,  40.0,   50.0,
                                               60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0};

// Most requests go out over a connection that is there, in a few millionths of a second.
constexpr std::array<double, 17> kOverheadEdges{0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                                0.001,   0.0025,   0.005,   0.01,   0.025,   0.05,
                                                0.1,     0.25,     0.5,     1.0,    2.5};

constexpr std::array<double, 12> kLagEdges{0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                           0.1,   0.2,   0.5,   1.0,  2.0,  5.0};

double seconds(Duration span) {
  return std::max(0.0, std::chrono::duration<double>(span).count());
}

size_t status_class(int status) {
  return status >= 100 && status < 600 ? static_cast<size_t>(status / 100) : 0;
}

bool has(TimePoint time) {
  return time != TimePoint{};
}

template <size_t N>
void add_each(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& from) {
  for (size_t i = 0; i < N; ++i) to[i] += from[i];
}

// Tokens that were made for nobody, as far as events tell.
uint64_t made_tokens(const ExchangeReport& report) {
  return report.tokens_out >= 0 ? static_cast<uint64_t>(report.tokens_out) : report.events;
}

}  // namespace

BackendMetrics::BackendMetrics() : time_to_first_token(kFirstTokenEdges) {}

void BackendMetrics::add(const ExchangeReport& report) {
  ++requests[status_class(report.status)][report.is_stream ? 1 : 0];
  if (report.has_error) ++failures[static_cast<size_t>(report.error.kind)];
  if (report.has_stream_error) ++failures[kErrorKinds];
  if (report.attempts > 1) retries += static_cast<uint64_t>(report.attempts - 1);
  if (report.tokens_in > 0) tokens_in += static_cast<uint64_t>(report.tokens_in);
  if (report.tokens_out > 0) tokens_out += static_cast<uint64_t>(report.tokens_out);
  if (report.has_error && report.is_stream) {
    const bool has_left =
        report.error.kind == ErrorKind::client_gone || report.error.kind == ErrorKind::write_stall;
    (has_left ? tokens_wasted_client_gone : tokens_wasted_interrupted) += made_tokens(report);
  }
  bytes_in += report.bytes_in;
  bytes_out += report.bytes_out;
  if (report.is_stream && has(report.first_event)) {
    time_to_first_token.observe(seconds(report.first_event - report.accepted));
  }
}

void BackendMetrics::add(const BackendMetrics& other) {
  for (size_t i = 0; i < requests.size(); ++i) add_each(requests[i], other.requests[i]);
  add_each(failures, other.failures);
  add_each(state_changes, other.state_changes);
  retries += other.retries;
  tokens_in += other.tokens_in;
  tokens_out += other.tokens_out;
  tokens_wasted_client_gone += other.tokens_wasted_client_gone;
  tokens_wasted_interrupted += other.tokens_wasted_interrupted;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  time_to_first_token.add(other.time_to_first_token);
}

PoolMetrics::PoolMetrics()
    : queue_wait(kFirstTokenEdges),
      proxy_overhead(kOverheadEdges),
      inter_token_latency(kTokenEdges),
      request_duration(kRequestEdges) {}

void PoolMetrics::add(const PoolMetrics& other) {
  queue_wait.add(other.queue_wait);
  proxy_overhead.add(other.proxy_overhead);
  inter_token_latency.add(other.inter_token_latency);
  request_duration.add(other.request_duration);
}

Metrics::Metrics(std::string_view pool) : pool_(pool), loop_lag_(kLagEdges) {}

void Metrics::on_exchange(const ExchangeReport& report) noexcept {
  if (report.is_probe_path) return;
  Pool& in = pool(report.pool);
  backend(in, report.backend.empty() ? kNoBackend : report.backend).add(report);
  const TimePoint waited_until = has(report.leased) ? report.leased : report.ended;
  in.all.queue_wait.observe(seconds(waited_until - report.accepted));
  in.all.request_duration.observe(seconds(report.ended - report.accepted));
  // What a failed send cost is not ours, and retries are counted.
  if (report.attempts == 1 && has(report.leased) && has(report.connected)) {
    in.all.proxy_overhead.observe(seconds(report.connected - report.leased));
  }
  if (report.is_stream && report.events > 1) {
    const uint64_t gaps = report.events - 1;
    const double mean = seconds(report.last_event - report.first_event) / static_cast<double>(gaps);
    in.all.inter_token_latency.observe(mean, gaps);
  }
}

void Metrics::on_backend_event(const BackendEvent& event) noexcept {
  ++backend(pool(pool_), event.backend).state_changes[static_cast<size_t>(event.to)];
}

void Metrics::on_loop_lag(Duration lag) noexcept {
  loop_lag_.observe(seconds(lag));
}

void Metrics::add(const Metrics& other) {
  loop_lag_.add(other.loop_lag_);
  for (const auto& [name, from] : other.pools_) {
    Pool& to = pool(name);
    to.all.add(from.all);
    for (const auto& [id, of] : from.backends) backend(to, id).add(of);
  }
}

Metrics::Pool& Metrics::pool(std::string_view name) {
  const std::string_view known = name.empty() ? std::string_view(pool_) : name;
  const auto found = pools_.find(known);
  if (found != pools_.end()) return found->second;
  const bool is_full = pools_.size() >= kMostPools;
  return pools_[is_full ? std::string(kOtherBackend) : std::string(known)];
}

BackendMetrics& Metrics::backend(Pool& pool, std::string_view id) {
  const auto found = pool.backends.find(id);
  if (found != pool.backends.end()) return found->second;
  const bool is_full = pool.backends.size() >= kMostBackends;
  return pool.backends[is_full ? std::string(kOtherBackend) : std::string(id)];
}

}  // namespace weir
