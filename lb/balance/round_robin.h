// The policy `round_robin`: one after the other, each as many times as its weight; one that starts
// slowly is passed over in most rounds; one that was full rejoins at the end. Intrusive list;
// balancer's mutex.
#pragma once

#include "lb/balance/backend_state.h"

namespace weir {

class RoundRobin {
 public:
  void insert(BackendState& state);
  void remove(BackendState& state);
  void moved(BackendState&) {}
  bool is_empty() const { return first_ == nullptr; }
  BackendState* choose(const Wish& wish);

 private:
  void to_the_end(BackendState& state);

  BackendState* first_ = nullptr;
  BackendState* last_ = nullptr;
};

}  // namespace weir
