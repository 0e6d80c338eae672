// How many requests may be sent a second time: a share of the first sends, and a reserve that
// covers the loss of a whole backend with all it has in hand. So a crash is repaired unseen, and an
// overload is not answered with twice the load. Balancer's mutex.
#pragma once

#include <algorithm>
#include <cstdint>

#include "weir/timer.h"

namespace weir {

class RetryBudget {
 public:
  explicit RetryBudget(double ratio) : ratio_(ratio) {}

  // A lease was taken: a request's first, or not; its backend has `outstanding` now.
  void on_lease(bool is_first, uint32_t outstanding) {
    if (is_first) tokens_ = std::min(tokens_ + ratio_, reserve_);
    if (outstanding > peak_) raise(outstanding);
  }

  bool take(TimePoint now);
  // Now and then: `most` = the largest outstanding count of a backend.
  void watch(TimePoint now, uint32_t most);

  double reserve() const { return reserve_; }

 private:
  static constexpr double kLeast = 64;

  void raise(uint32_t outstanding);
  void refill(TimePoint now);

  const double ratio_;
  double reserve_ = kLeast;
  double tokens_ = kLeast;
  uint32_t peak_ = 0;           // largest outstanding count in this window …
  uint32_t previous_peak_ = 0;  // … and in the one before
  TimePoint window_began_{};
  TimePoint refilled_{};
};

}  // namespace weir
