// The ordered queue declared in weir/timer.h: a binary heap by (due, order of arming); each Timer
// knows its place.
#include "weir/assert.h"
#include "weir/timer.h"

namespace weir {

void Timer::start(Duration after) {
  start_at(queue_.now() + after);
}

void Timer::start_at(TimePoint due) {
  cancel();
  due_ = due;
  queue_.insert(this);
}

void Timer::cancel() noexcept {
  if (is_armed()) queue_.remove(this);
}

TimerQueue::~TimerQueue() {
  for (Timer* timer : heap_) timer->position_ = Timer::kNowhere;
}

void TimerQueue::set_now(TimePoint now) {
  if (now > now_) now_ = now;
}

void TimerQueue::advance_to(TimePoint to) {
  while (!heap_.empty() && heap_.front()->due_ <= to) {
    Timer* timer = heap_.front();
    remove(timer);
    set_now(timer->due_);
    timer->on_due_();  // may destroy the timer
  }
  set_now(to);
}

bool TimerQueue::is_before(const Timer* a, const Timer* b) {
  return a->due_ != b->due_ ? a->due_ < b->due_ : a->order_ < b->order_;
}

void TimerQueue::insert(Timer* timer) {
  timer->order_ = next_order_++;
  heap_.push_back(timer);
  timer->position_ = heap_.size() - 1;
  sift_up(timer->position_);
}

void TimerQueue::remove(Timer* timer) noexcept {
  const size_t hole = timer->position_;
  WEIR_ASSERT(hole < heap_.size() && heap_[hole] == timer);
  timer->position_ = Timer::kNowhere;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == timer) return;
  place(last, hole);
  sift_up(hole);
  sift_down(last->position_);
}

void TimerQueue::place(Timer* timer, size_t index) noexcept {
  heap_[index] = timer;
  timer->position_ = index;
}

void TimerQueue::sift_up(size_t index) noexcept {
  Timer* timer = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!is_before(timer, heap_[parent])) break;
    place(heap_[parent], index);
    index = parent;
  }
  place(timer, index);
}

void TimerQueue::sift_down(size_t index) noexcept {
  Timer* timer = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && is_before(heap_[child + 1], heap_[child])) ++child;
    if (!is_before(heap_[child], timer)) break;
    place(heap_[child], index);
    index = child;
  }
  place(timer, index);
}

}  // namespace weir
