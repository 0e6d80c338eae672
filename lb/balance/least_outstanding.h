// The default policy: a backend with the fewest outstanding requests for its weight, exactly; ties
// rotate. Balancer's mutex.
#pragma once

#include "lb/balance/load_index.h"

namespace weir {

class LeastOutstanding {
 public:
  void insert(BackendState& state) { index_.insert(state); }
  void remove(BackendState& state) { index_.remove(state); }
  void moved(BackendState& state) { index_.moved(state); }
  bool is_empty() const { return index_.is_empty(); }
  BackendState* choose(const Wish& wish) { return index_.lowest(wish); }

 private:
  LoadIndex index_;
};

}  // namespace weir
