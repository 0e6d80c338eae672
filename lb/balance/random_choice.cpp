#include "lb/balance/random_choice.h"

#include "weir/assert.h"

namespace weir {

void RandomChoice::insert(BackendState& state) {
  WEIR_ASSERT(!state.links.is_in);
  state.links.is_in = true;
  state.links.position = candidates_.size();
  candidates_.push_back(&state);
}

void RandomChoice::remove(BackendState& state) {
  WEIR_ASSERT(state.links.is_in);
  const size_t hole = state.links.position;
  candidates_[hole] = candidates_.back();
  candidates_[hole]->links.position = hole;
  candidates_.pop_back();
  state.links.is_in = false;
}

BackendState* RandomChoice::draw(const Wish& wish, const BackendState* other_than) {
  uint64_t total = 0;
  for (const BackendState* state : candidates_) {
    if (state != other_than && !is_excluded(wish, *state)) total += state->pull();
  }
  if (total == 0) return nullptr;
  uint64_t left = chance_.below(total);
  for (BackendState* state : candidates_) {
    if (state == other_than || is_excluded(wish, *state)) continue;
    if (left < state->pull()) return state;
    left -= state->pull();
  }
  return nullptr;
}

BackendState* TwoChoices::choose(const Wish& wish) {
  BackendState* one = draw(wish, nullptr);
  BackendState* two = one != nullptr ? draw(wish, one) : nullptr;
  if (two == nullptr) return one;
  const uint64_t load_one = uint64_t{one->outstanding} * two->pull();
  const uint64_t load_two = uint64_t{two->outstanding} * one->pull();
  return load_two < load_one ? two : one;
}

}  // namespace weir
