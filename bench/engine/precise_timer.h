// A timer of microseconds on a loop: the loop's own timers wait in whole milliseconds (epoll), too
// coarse for the start of a request. One timerfd each. Loop thread.
#pragma once

#include "weir/callback.h"
#include "weir/timer.h"

#include "lb/net/io_event.h"
#include "lb/net/socket.h"

namespace weir {

class PreciseTimer {
 public:
  PreciseTimer(EventLoop& loop, Callback<> on_due);
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;

  void start_at(TimePoint due);  // in the past: at once, but in a later turn
  void cancel();

 private:
  void on_ready(Readiness readiness);
  void arm(int64_t seconds, int64_t nanoseconds);

  Callback<> on_due_;
  UniqueFd fd_;
  IoEvent event_;
};

}  // namespace weir
