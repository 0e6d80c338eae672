// The backends of --direct behind weir's own balancing: exact counts, a policy, health by probes
// and by what happened to requests, as in the proxy. Leases are taken by the workers; this is the
// part that needs a loop. Main thread, but for the balancer itself.
#pragma once

#include <vector>

#include "weir/policy_name.h"

#include "bench/engine/load_options.h"
#include "lb/backend/prober.h"
#include "lb/balance/balancer.h"

namespace weir {

class DirectPool {
 public:
  // Of those of `targets` that are direct.
  DirectPool(EventLoop& loop, const std::vector<BenchTarget>& targets, PolicyName policy,
             uint64_t seed);
  DirectPool(const DirectPool&) = delete;
  DirectPool& operator=(const DirectPool&) = delete;
  ~DirectPool();

  Balancer& balancer() { return balancer_; }

 private:
  void on_watch();

  EventLoop& loop_;
  Balancer balancer_;
  Prober prober_;
  Timer watch_;
};

}  // namespace weir
