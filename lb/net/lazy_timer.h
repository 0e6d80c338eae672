// A deadline that moves often and is seldom reached: moving it later is one store; only when the
// timer fires does it look whether the deadline has moved, and re-arms itself. For idle and
// between-bytes time-outs on the data path. Loop thread.
#pragma once

#include "weir/timer.h"

namespace weir {

class LazyTimer {
 public:
  LazyTimer(TimerQueue& queue, Callback<> on_deadline)
      : timer_(queue, bind<&LazyTimer::on_due>(this)), queue_(queue), on_deadline_(on_deadline) {}
  LazyTimer(const LazyTimer&) = delete;
  LazyTimer& operator=(const LazyTimer&) = delete;

  void set(TimePoint deadline) {
    deadline_ = deadline;
    if (!timer_.is_armed() || deadline < timer_.due()) timer_.start_at(deadline);
  }
  void set_after(Duration after) { set(queue_.now() + after); }
  void clear() {
    deadline_ = TimePoint::max();
  }  // the timer may stay armed; it then finds nothing to do
  bool is_set() const { return deadline_ != TimePoint::max(); }
  TimePoint deadline() const { return deadline_; }
  void cancel() {
    clear();
    timer_.cancel();
  }

 private:
  void on_due() {
    if (!is_set()) return;
    if (deadline_ > queue_.now()) {
      timer_.start_at(deadline_);
      return;
    }
    clear();
    on_deadline_();
  }

  Timer timer_;
  TimerQueue& queue_;
  Callback<> on_deadline_;
  TimePoint deadline_ = TimePoint::max();
};

}  // namespace weir
