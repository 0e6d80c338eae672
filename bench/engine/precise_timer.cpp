#include "bench/engine/precise_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "weir/assert.h"

namespace weir {

PreciseTimer::PreciseTimer(EventLoop& loop, Callback<> on_due)
    : on_due_(on_due), fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  WEIR_ASSERT(fd_);
  const bool is_added =
      event_.add_level_readable(loop, fd_.get(), bind<&PreciseTimer::on_ready>(this));
  WEIR_ASSERT(is_added);
}

void PreciseTimer::start_at(TimePoint due) {
  const auto since = std::chrono::nanoseconds(due.time_since_epoch()).count();
  const int64_t ns = std::max<int64_t>(1, since);  // 0 would disarm it
  arm(ns / 1'000'000'000, ns % 1'000'000'000);
}

void PreciseTimer::cancel() {
  arm(0, 0);
}

void PreciseTimer::arm(int64_t seconds, int64_t nanoseconds) {
  itimerspec when{};
  when.it_value.tv_sec = seconds;
  when.it_value.tv_nsec = nanoseconds;
  ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void PreciseTimer::on_ready(Readiness) {
  uint64_t count = 0;
  if (::read(fd_.get(), &count, sizeof count) == sizeof count) on_due_();
}

}  // namespace weir
