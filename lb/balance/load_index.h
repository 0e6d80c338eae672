// Backends in buckets by load, for the exact choice of one with the fewest outstanding in constant
// time; within a bucket the one that has been there longest comes first, so that ties rotate. Load
// = outstanding / weight, rounded down: a backend of weight 2 is given two before one of weight 1
// gets its next; one that starts slowly has a part of its weight only. Intrusive
// (BackendState::links); balancer's mutex.
#pragma once

#include <vector>

#include "lb/balance/backend_state.h"

namespace weir {

class LoadIndex {
 public:
  void insert(BackendState& state);
  void remove(BackendState& state);
  void moved(BackendState& state);  // its load is another one
  bool is_empty() const { return size_ == 0; }

  // The first of the lowest bucket that the wish does not exclude; nullptr = there is none.
  BackendState* lowest(const Wish& wish) const;

 private:
  struct Bucket {
    BackendState* first = nullptr;
    BackendState* last = nullptr;
  };

  std::vector<Bucket> buckets_;  // by load; as long as the highest load seen
  size_t lowest_ = 0;            // no bucket below it has anything in it
  size_t size_ = 0;
};

}  // namespace weir
