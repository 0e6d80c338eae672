#include "lb/balance/load_index.h"

#include "weir/assert.h"

namespace weir {

void LoadIndex::insert(BackendState& state) {
  BackendState::PolicyLinks& links = state.links;
  WEIR_ASSERT(!links.is_in);
  const size_t load = state.load();
  if (load >= buckets_.size()) buckets_.resize(load + 1);
  Bucket& bucket = buckets_[load];
  links.position = load;
  links.is_in = true;
  links.previous = bucket.last;
  links.next = nullptr;
  (bucket.last != nullptr ? bucket.last->links.next : bucket.first) = &state;
  bucket.last = &state;
  if (size_++ == 0 || load < lowest_) lowest_ = load;
}

void LoadIndex::remove(BackendState& state) {
  BackendState::PolicyLinks& links = state.links;
  WEIR_ASSERT(links.is_in);
  Bucket& bucket = buckets_[links.position];
  (links.previous != nullptr ? links.previous->links.next : bucket.first) = links.next;
  (links.next != nullptr ? links.next->links.previous : bucket.last) = links.previous;
  links.previous = links.next = nullptr;
  links.is_in = false;
  --size_;
  while (size_ > 0 && buckets_[lowest_].first == nullptr) ++lowest_;
}

void LoadIndex::moved(BackendState& state) {
  remove(state);
  insert(state);
}

BackendState* LoadIndex::lowest(const Wish& wish) const {
  if (size_ == 0) return nullptr;
  for (size_t load = lowest_; load < buckets_.size(); ++load) {
    for (BackendState* state = buckets_[load].first; state != nullptr; state = state->links.next) {
      if (!is_excluded(wish, *state)) return state;
    }
  }
  return nullptr;
}

}  // namespace weir
