#include "bench/engine/direct_pool.h"

#include <algorithm>

namespace weir {
namespace {

constexpr Duration kWatchEvery = std::chrono::milliseconds(100);

BalancerOptions balancer_options(PolicyName policy, uint64_t seed) {
  BalancerOptions options;
  options.pool = "direct";
  options.policy = policy;
  options.seed = seed;
  return options;
}

}  // namespace

DirectPool::DirectPool(EventLoop& loop, const std::vector<BenchTarget>& targets, PolicyName policy,
                       uint64_t seed)
    : loop_(loop),
      balancer_(balancer_options(policy, seed)),
      prober_(loop, balancer_, ProberOptions{}),
      watch_(loop.timers(), bind<&DirectPool::on_watch>(this)) {
  std::vector<BackendSpec> backends;
  for (const BenchTarget& target : targets) {
    if (target.role != TargetRecord::Role::direct) continue;
    BackendSpec spec;
    spec.id = target.name;
    spec.address = target.address;
    backends.push_back(std::move(spec));
  }
  balancer_.update(BackendSet(std::move(backends)), 0, loop.refresh_now());
  std::vector<ProbeTarget> probed;
  for (const BackendSnapshot& backend : balancer_.snapshot().backends) {
    const auto target = std::ranges::find(targets, backend.id, &BenchTarget::name);
    ProbeTarget one;
    one.serial = backend.serial;
    one.slot = backend.slot;
    one.host = to_string(target->address);
    one.addresses = target->addresses;
    probed.push_back(std::move(one));
  }
  prober_.set_targets(std::move(probed));
  watch_.start(kWatchEvery);
}

DirectPool::~DirectPool() = default;

void DirectPool::on_watch() {
  balancer_.watch(loop_.now());
  watch_.start(kWatchEvery);
}

}  // namespace weir
