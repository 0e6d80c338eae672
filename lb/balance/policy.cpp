#include "lb/balance/policy.h"

namespace weir {

Policy::Policy(const BalancerOptions& options) : policy_(make(options)) {}

Policy::Any Policy::make(const BalancerOptions& options) {
  switch (options.policy) {
    case PolicyName::least_outstanding:
      return LeastOutstanding();
    case PolicyName::round_robin:
      return RoundRobin();
    case PolicyName::random:
      return RandomChoice(options.seed);
    case PolicyName::two_choices:
      return TwoChoices(options.seed);
  }
  return LeastOutstanding();
}

void Policy::insert(BackendState& state) {
  std::visit([&state](auto& policy) { policy.insert(state); }, policy_);
}

void Policy::remove(BackendState& state) {
  std::visit([&state](auto& policy) { policy.remove(state); }, policy_);
}

void Policy::moved(BackendState& state) {
  std::visit([&state](auto& policy) { policy.moved(state); }, policy_);
}

bool Policy::is_empty() const {
  return std::visit([](const auto& policy) { return policy.is_empty(); }, policy_);
}

BackendState* Policy::choose(const Wish& wish) {
  return std::visit([&wish](auto& policy) { return policy.choose(wish); }, policy_);
}

}  // namespace weir
