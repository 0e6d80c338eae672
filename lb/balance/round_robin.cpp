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

// What it has saved up comes along.
void RoundRobin::to_the_end(BackendState& state) {
  const uint32_t credit = state.links.credit;
  remove(state);
  insert(state);
  state.links.credit = credit;
}

// Each gets its pull as credit when it comes to the front, and pays kWholeShare a turn; what is too
// little for a turn is kept for the next round. The least share is a tenth, so that after ten
// rounds somebody has enough.
BackendState* RoundRobin::choose(const Wish& wish) {
  BackendState* state = first_;
  while (state != nullptr) {
    BackendState* next = state->links.next;
    if (!is_excluded(wish, *state)) {
      uint32_t& credit = state->links.credit;
      if (credit < kWholeShare) credit += static_cast<uint32_t>(state->pull());
      if (credit >= kWholeShare) break;
      to_the_end(*state);
      if (next == nullptr) next = state;
    }
    state = next;
  }
  if (state == nullptr) return nullptr;
  state->links.credit -= kWholeShare;
  if (state->links.credit < kWholeShare) to_the_end(*state);
  return state;
}

}  // namespace weir
