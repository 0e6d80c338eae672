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

// splitmix64: small, and every seed is a good one.
uint64_t RandomChoice::next_random() {
  random_state_ += 0x9e3779b97f4a7c15ULL;
  uint64_t z = random_state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

BackendState* RandomChoice::draw(const Wish& wish, const BackendState* other_than) {
  uint64_t total = 0;
  for (const BackendState* state : candidates_) {
    if (state != other_than && !is_excluded(wish, *state)) total += state->weight();
  }
  if (total == 0) return nullptr;
  uint64_t left = next_random() % total;
  for (BackendState* state : candidates_) {
    if (state == other_than || is_excluded(wish, *state)) continue;
    if (left < state->weight()) return state;
    left -= state->weight();
  }
  return nullptr;
}

BackendState* TwoChoices::choose(const Wish& wish) {
  BackendState* one = draw(wish, nullptr);
  BackendState* two = one != nullptr ? draw(wish, one) : nullptr;
  if (two == nullptr) return one;
  const uint64_t load_one = uint64_t{one->outstanding} * two->weight();
  const uint64_t load_two = uint64_t{two->outstanding} * one->weight();
  return load_two < load_one ? two : one;
}

}  // namespace weir
