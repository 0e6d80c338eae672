#include "lb/app/proxy_settings.h"

namespace weir {
namespace {

http::PathMode path_mode(PathSet paths) {
  switch (paths) {
    case PathSet::inference:
      return http::PathMode::inference;
    case PathSet::all:
      return http::PathMode::all;
    case PathSet::unsafe_all:
      return http::PathMode::unsafe_all;
  }
  return http::PathMode::inference;
}

std::vector<http::HeaderRule> header_rules(const std::vector<HeaderRule>& rules) {
  std::vector<http::HeaderRule> out;
  for (const HeaderRule& rule : rules) {
    http::HeaderRule::Kind kind = http::HeaderRule::Kind::set;
    if (rule.kind == HeaderRule::Kind::add) kind = http::HeaderRule::Kind::add;
    if (rule.kind == HeaderRule::Kind::remove) kind = http::HeaderRule::Kind::remove;
    out.push_back({kind, rule.name, rule.value});
  }
  return out;
}

}  // namespace

ProxyOptions proxy_options(const Config& config, const std::string& required_key) {
  const ListenerConfig& listener = config.listen.front();
  const PoolConfig& pool = config.pool;
  ProxyOptions options;
  options.head_limits.head_bytes = listener.max_head;
  options.request_head = listener.request_head;
  options.request_body = listener.request_body;
  options.idle = listener.idle;
  options.fin_is_leaving = listener.client_half_close == HalfClose::abort;
  options.write_stall = listener.write_stall;
  options.trusted_proxies = listener.trusted_proxies;
  options.adds_via = config.via;
  options.request = pool.timeouts.request;
  options.hold = pool.timeouts.hold;
  options.tunnel = pool.timeouts.tunnel;
  options.first_byte = pool.timeouts.first_byte;
  options.between_bytes = pool.timeouts.between_bytes;
  options.replay_bytes = config.replay.per_request;
  options.paths = path_mode(config.paths);
  options.max_sends = static_cast<int>(pool.retry.attempts);
  options.passes_aborted = pool.abort == AbortedAnswer::pass;
  options.header_up = header_rules(pool.header_up);
  options.header_down = header_rules(pool.header_down);
  options.required_key = required_key;
  return options;
}

BalancerOptions balancer_options(const Config& config) {
  const PoolConfig& pool = config.pool;
  BalancerOptions options;
  options.pool = pool.name;
  options.policy = pool.policy;
  options.max_outstanding = pool.max_outstanding_per_backend;
  options.queue_limit = pool.queue.limit;
  options.queue_timeout = pool.queue.timeout;
  options.waits_for_backends = pool.when_none_ready == WhenNoneReady::wait_while_pending;
  // A replica that was just started refuses for a minute: asking it is what the prober is for.
  options.tries_unprobed = config.command != Command::launch;
  options.health.rise = static_cast<int>(pool.health.rise);
  options.health.fall = static_cast<int>(pool.health.fall);
  options.health.eject_failures = pool.health.eject.failures;
  options.health.eject_base = pool.health.eject.base;
  options.health.eject_most = pool.health.eject.most;
  options.health.slow_start = pool.health.slow_start;
  options.health.stuck_after = pool.health.stuck_after;
  options.retry_budget = pool.retry.budget;
  return options;
}

ConnectionPoolOptions pool_options(const Config& config) {
  ConnectionPoolOptions options;
  options.connect_timeout = config.pool.timeouts.connect;
  return options;
}

ProberOptions prober_options(const Config& config) {
  ProberOptions options;
  options.path = config.pool.health.path;
  options.interval = config.pool.health.interval;
  options.fast_interval = std::min(config.pool.health.fast_interval, options.interval);
  options.timeout = config.pool.health.timeout;
  return options;
}

}  // namespace weir
