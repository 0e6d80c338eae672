// The policies `random` (any backend, by weight) and `two_choices` (two such, then the one with the
// fewer outstanding for its weight). The draw costs one pass over the candidates; the sequence
// follows from the seed. Balancer's mutex.
#pragma once

#include <vector>

#include "weir/split_mix.h"

#include "lb/balance/backend_state.h"

namespace weir {

class RandomChoice {
 public:
  explicit RandomChoice(uint64_t seed) : chance_(seed) {}

  void insert(BackendState& state);
  void remove(BackendState& state);
  void moved(BackendState&) {}
  bool is_empty() const { return candidates_.empty(); }
  BackendState* choose(const Wish& wish) { return draw(wish, nullptr); }

 protected:
  BackendState* draw(const Wish& wish, const BackendState* other_than);

 private:
  std::vector<BackendState*> candidates_;
  SplitMix chance_;
};

class TwoChoices : public RandomChoice {
 public:
  using RandomChoice::RandomChoice;
  BackendState* choose(const Wish& wish);
};

}  // namespace weir
