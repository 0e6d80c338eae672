// The policy `round_robin`: one after the other, each as many times as its weight; one that was
// full rejoins at the end. Intrusive list; balancer's mutex.
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
  BackendState* first_ = nullptr;
  BackendState* last_ = nullptr;
};

}  // namespace weir
