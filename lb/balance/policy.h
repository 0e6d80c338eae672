// Which of the backends that may be chosen (usable and below their cap) is chosen. One of the
// policies by name, as a variant: no virtual call on the data path. Balancer's mutex.
#pragma once

#include <variant>

#include "lb/balance/least_outstanding.h"
#include "lb/balance/random_choice.h"
#include "lb/balance/round_robin.h"

namespace weir {

class Policy {
 public:
  explicit Policy(const BalancerOptions& options);

  void insert(BackendState& state);
  void remove(BackendState& state);
  void moved(BackendState& state);  // its outstanding count is another one
  bool is_empty() const;
  BackendState* choose(const Wish& wish);  // nullptr: none that the wish allows

 private:
  using Any = std::variant<LeastOutstanding, RoundRobin, RandomChoice, TwoChoices>;
  static Any make(const BalancerOptions& options);

  Any policy_;
};

}  // namespace weir
