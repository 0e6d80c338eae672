#include "lb/balance/waiting_room.h"

#include <algorithm>

#include "weir/assert.h"

namespace weir {

void Wakes::add(PlaceWaker& waker) {
  if (count_ < kFew) {
    few_[count_++] = &waker;
  } else {
    more_.push_back(&waker);
  }
}

void Wakes::call() noexcept {
  for (size_t i = 0; i < count_; ++i) few_[i]->wake();
  for (PlaceWaker* waker : more_) waker->wake();
}

void WaitingRoom::List::push_back(Place& place) {
  place.previous_ = last;
  place.next_ = nullptr;
  (last != nullptr ? last->next_ : first) = &place;
  last = &place;
  ++size;
}

void WaitingRoom::List::remove(Place& place) {
  (place.previous_ != nullptr ? place.previous_->next_ : first) = place.next_;
  (place.next_ != nullptr ? place.next_->previous_ : last) = place.previous_;
  place.previous_ = place.next_ = nullptr;
  --size;
}

void WaitingRoom::enter(Place& place, const Wish& wish, PlaceWaker& waker) {
  place.wish_ = wish;
  place.waker_ = &waker;
  place.is_answered_ = false;
  line_.push_back(place);
}

void WaitingRoom::set_times(Place& place, TimePoint entered, TimePoint deadline) {
  place.entered_ = entered;
  place.deadline_ = deadline;
}

void WaitingRoom::grant(Place& place, Lease lease, Wakes& wakes) {
  place.lease_ = std::move(lease);
  answer(place, wakes);
}

void WaitingRoom::refuse(Place& place, ErrorKind why, Wakes& wakes) {
  place.refusal_ = why;
  answer(place, wakes);
}

void WaitingRoom::answer(Place& place, Wakes& wakes) {
  WEIR_ASSERT(!place.is_answered_);
  line_.remove(place);
  place.is_answered_ = true;
  auto answers = find_answers(place.waker_);
  if (answers == answers_.end()) {
    // Answers that are there already have had their wake().
    wakes.add(*place.waker_);
    answers_.push_back({place.waker_, {}});
    answers = answers_.end() - 1;
  }
  answers->places.push_back(place);
}

std::vector<WaitingRoom::Answers>::iterator WaitingRoom::find_answers(const PlaceWaker* waker) {
  return std::ranges::find(answers_, waker, &Answers::waker);
}

size_t WaitingRoom::answered(const PlaceWaker& waker) const {
  const auto answers = std::ranges::find(answers_, &waker, &Answers::waker);
  return answers == answers_.end() ? 0 : answers->places.size;
}

Place* WaitingRoom::take_answered(const PlaceWaker& waker) {
  const auto answers = find_answers(&waker);
  if (answers == answers_.end()) return nullptr;
  Place* place = answers->places.first;
  remove_answered(answers, *place);
  return place;
}

void WaitingRoom::remove_answered(std::vector<Answers>::iterator answers, Place& place) {
  answers->places.remove(place);
  if (answers->places.size == 0) answers_.erase(answers);
}

Lease WaitingRoom::leave(Place& place) {
  if (!place.is_answered_) {
    line_.remove(place);
    return {};
  }
  const auto answers = find_answers(place.waker_);
  WEIR_ASSERT(answers != answers_.end());
  remove_answered(answers, place);
  return std::move(place.lease_);
}

}  // namespace weir
