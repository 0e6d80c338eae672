// Where exchanges wait for a lease: one line, first come first served, and the answered places of
// each worker until it has fetched them. Places are linked into it, not owned by it. Balancer's
// mutex.
#pragma once

#include <array>
#include <vector>

#include "lb/balance/balancer.h"

namespace weir {

// The wakers to be called after the mutex is free. Without memory of its own for up to kFew
// workers.
class Wakes {
 public:
  void add(PlaceWaker& waker);
  void call() noexcept;

 private:
  static constexpr size_t kFew = 8;
  std::array<PlaceWaker*, kFew> few_{};
  size_t count_ = 0;
  std::vector<PlaceWaker*> more_;
};

class WaitingRoom {
 public:
  size_t size() const { return line_.size; }
  bool is_empty() const { return line_.size == 0; }
  Place* front() const { return line_.first; }
  static Place* after(const Place& place) { return place.next_; }

  // To the end of the line.
  void enter(Place& place, const Wish& wish, PlaceWaker& waker);
  static void set_times(Place& place, TimePoint entered, TimePoint deadline);
  static const Wish& wish_of(const Place& place) { return place.wish_; }
  static TimePoint deadline_of(const Place& place) { return place.deadline_; }

  // From the line to the answered ones of its worker, which is woken if it has no others there.
  void grant(Place& place, Lease lease, Wakes& wakes);
  void refuse(Place& place, ErrorKind why, Wakes& wakes);

  size_t answered(const PlaceWaker& waker) const;
  Place* take_answered(const PlaceWaker& waker);  // the oldest; nullptr = none
  bool has_answered() const { return !answers_.empty(); }

  // Out of wherever it is. A lease that was granted is the caller's to give back.
  Lease leave(Place& place);

 private:
  struct List {
    Place* first = nullptr;
    Place* last = nullptr;
    size_t size = 0;

    void push_back(Place& place);
    void remove(Place& place);
  };
  struct Answers {
    PlaceWaker* waker;
    List places;
  };

  void answer(Place& place, Wakes& wakes);
  std::vector<Answers>::iterator find_answers(const PlaceWaker* waker);
  void remove_answered(std::vector<Answers>::iterator answers, Place& place);

  List line_;
  std::vector<Answers> answers_;  // of the workers that have some
};

}  // namespace weir
