#include "lb/admin/live_metrics.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace weir {
namespace {

constexpr std::array<BackendStateName, 9> kStates{
    BackendStateName::starting, BackendStateName::loading, BackendStateName::untried,
    BackendStateName::ready,    BackendStateName::suspect, BackendStateName::ejected,
    BackendStateName::draining, BackendStateName::down,    BackendStateName::failed};

double seconds(Duration span) {
  return std::chrono::duration<double>(span).count();
}

void write_backends(PrometheusText& out, const InstanceView& view) {
  out.family("weir_backend_state", "gauge", "1 for the state that a backend is in.");
  for (const PoolView& pool : view.pools) {
    for (const BackendView& backend : pool.backends) {
      for (const BackendStateName state : kStates) {
        out.sample({{"pool", pool.name}, {"backend", backend.id}, {"state", to_string(state)}},
                   uint64_t{backend.state == state ? 1U : 0U});
      }
    }
  }
}

// Each request is in one phase: their sum is what weir has.
void write_in_flight(PrometheusText& out, const InstanceView& view) {
  out.family("weir_requests_in_flight", "gauge",
             "Requests now: waiting for a backend, sent to one, answering once its answer began.");
  for (const PoolView& pool : view.pools) {
    out.sample({{"pool", pool.name}, {"backend", kNoBackend}, {"phase", "waiting"}},
               uint64_t{pool.waiting.length});
    for (const BackendView& backend : pool.backends) {
      const uint64_t answering = std::min(backend.answering, backend.outstanding);
      out.sample({{"pool", pool.name}, {"backend", backend.id}, {"phase", "sent"}},
                 backend.outstanding - answering);
      out.sample({{"pool", pool.name}, {"backend", backend.id}, {"phase", "answering"}}, answering);
    }
  }
}

// A client's connection is active while it has a request, one to a backend while an exchange has
// it, if only to connect.
void write_connections(PrometheusText& out, const InstanceView& view) {
  const uint64_t active = std::min(view.in_flight, view.client_connections);
  uint64_t outstanding = 0;
  for (const PoolView& pool : view.pools) {
    for (const BackendView& backend : pool.backends) outstanding += backend.outstanding;
  }
  out.family("weir_connections", "gauge", "Connections of clients and to backends.");
  out.sample({{"side", "client"}, {"state", "active"}}, active);
  out.sample({{"side", "client"}, {"state", "idle"}}, view.client_connections - active);
  out.sample({{"side", "backend"}, {"state", "active"}}, outstanding);
  out.sample({{"side", "backend"}, {"state", "idle"}}, view.idle_backend_connections);
}

}  // namespace

void write_live_metrics(PrometheusText& out, const InstanceView& view) {
  write_backends(out, view);
  write_in_flight(out, view);
  out.family("weir_queue_length", "gauge", "Requests that wait for a backend.");
  for (const PoolView& pool : view.pools)
    out.sample({{"pool", pool.name}}, uint64_t{pool.waiting.length});
  out.family("weir_queue_oldest_seconds", "gauge", "How long the first in line has waited.");
  for (const PoolView& pool : view.pools)
    out.sample({{"pool", pool.name}}, seconds(pool.waiting.oldest));
  write_connections(out, view);
  out.family("weir_config_generation", "gauge", "1 at the start, one more at each reload.");
  out.sample({}, view.config_generation);
  out.family("weir_uptime_seconds", "gauge", "Since the start.");
  out.sample({}, seconds(view.uptime));
}

}  // namespace weir
