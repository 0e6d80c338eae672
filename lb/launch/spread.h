// How durations spread, in logarithmic buckets of about 9 %: constant memory however many are
// added. Value type.
#pragma once

#include <array>
#include <cstdint>

#include "weir/timer.h"

namespace weir {

class Spread {
 public:
  void add(Duration duration);
  uint64_t count() const { return count_; }
  // The bucket's upper edge below which `share` (0 to 1) of all lie; 0 when empty.
  double quantile_ms(double share) const;

 private:
  static constexpr size_t kBuckets = 8 * 36;  // 1 us to 19 hours, eight to a doubling
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace weir
