// How long a refused client does well to stay away: out of the recent rate at which leases come
// back, and out of how long backends took to load. Balancer's mutex.
#pragma once

#include <cstdint>

#include "weir/timer.h"

namespace weir {

class WaitEstimate {
 public:
  void on_release() { ++releases_; }
  void on_loaded(Duration took);
  // Now and then; a second at least lies between two that count.
  void watch(TimePoint now);

  // Until so many in line would have been served; zero = nothing is known yet.
  Duration for_line(size_t waiting) const;
  // Until a backend that has been loading for so long is ready; zero = none has loaded yet.
  Duration until_loaded(Duration loading_for) const;

 private:
  uint64_t releases_ = 0;  // since `sampled_`
  TimePoint sampled_{};
  double rate_ = 0;  // releases a second, the recent ones counting more
  bool has_rate_ = false;
  Duration load_time_{};
};

}  // namespace weir
