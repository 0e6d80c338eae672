// Timers in virtual or real time. A TimerQueue orders Timers by due time, then by arming; it never
// names a clock: its owner (EventLoop, or a test) says what time it is. One thread; a Timer must
// not outlive its queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/callback.h"

namespace weir {

using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;

class TimerQueue;

// Armed at most once at a time; its destructor cancels it. Its callback may arm it again or destroy
// its owner.
class Timer {
 public:
  Timer(TimerQueue& queue, Callback<> on_due) : queue_(queue), on_due_(on_due) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  void start(Duration after);  // from queue.now(); re-arms if already armed
  void start_at(TimePoint due);
  void cancel() noexcept;
  bool is_armed() const { return position_ != kNowhere; }
  TimePoint due() const { return due_; }

 private:
  friend class TimerQueue;
  static constexpr size_t kNowhere = ~size_t{0};

  TimerQueue& queue_;
  Callback<> on_due_;
  TimePoint due_{};
  uint64_t order_ = 0;
  size_t position_ = kNowhere;  // in the queue's heap
};

class TimerQueue {
 public:
  explicit TimerQueue(TimePoint now = {}) : now_(now) {}
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  TimePoint now() const { return now_; }
  bool is_empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  TimePoint next_due() const { return heap_.front()->due_; }  // not when empty

  // Moves time on (never back) without running anything.
  void set_now(TimePoint now);

  // Moves time on to `to` and runs what falls due, in order, with now() at each timer's due time;
  // timers armed by callbacks and due by `to` run too.
  void advance_to(TimePoint to);

 private:
  friend class Timer;
  void insert(Timer* timer);
  void remove(Timer* timer) noexcept;
  void sift_up(size_t index) noexcept;
  void sift_down(size_t index) noexcept;
  void place(Timer* timer, size_t index) noexcept;
  static bool is_before(const Timer* a, const Timer* b);

  TimePoint now_;
  uint64_t next_order_ = 0;
  std::vector<Timer*> heap_;
};

}  // namespace weir
