// The limits of time of one exchange behind one timer: moving one later costs a store and two
// comparisons. Owned by an Exchange. Loop thread only.
#pragma once

#include <array>
#include <cstdint>

#include "weir/timer.h"

namespace weir {

enum class Limit : uint8_t {
  silence,  // first_byte, between_bytes or tunnel: nothing came for too long
  hold,     // the head of an event stream has waited for its first event
  request,  // all attempts together
};

class Deadlines {
 public:
  Deadlines(TimerQueue& queue, Callback<Limit> on_over)
      : queue_(queue), on_over_(on_over), timer_(queue, bind<&Deadlines::on_timer>(this)) {
    due_.fill(kNever);
  }
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Zero: there is no such limit.
  void set_after(Limit limit, Duration after);
  void clear(Limit limit) { due_[index(limit)] = kNever; }  // the timer may fire in vain
  void clear_all();

 private:
  static constexpr TimePoint kNever = TimePoint::max();
  static size_t index(Limit limit) { return static_cast<size_t>(limit); }
  void arm();
  void on_timer();

  TimerQueue& queue_;
  Callback<Limit> on_over_;
  std::array<TimePoint, 3> due_;
  Timer timer_;  // may be early: moving a limit later does not touch it
};

}  // namespace weir
