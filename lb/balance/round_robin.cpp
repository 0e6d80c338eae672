#include "lb/balance/round_robin.h"

#include "weir/assert.h"

namespace weir {

void RoundRobin::insert(BackendState& state) {
  WEIR_ASSERT(!state.links.is_in);
  state.links = {last_, nullptr, 0, 0, true};
  (last_ != nullptr ? last_->links.next : first_) = &state;
  last_ = &state;
}

void RoundRobin::remove(BackendState& state) {
  BackendState::PolicyLinks& links = state.links;
  WEIR_ASSERT(links.is_in);
  (links.previous != nullptr ? links.previous->links.next : first_) = links.next;
  (links.next != nullptr ? links.next->links.previous : last_) = links.previous;
  links = {};
}

BackendState* RoundRobin::choose(const Wish& wish) {
  BackendState* state = first_;
  while (state != nullptr && is_excluded(wish, *state)) state = state->links.next;
  if (state == nullptr || ++state->links.turns < state->weight()) return state;
  remove(*state);
  insert(*state);
  return state;
}

}  // namespace weir
