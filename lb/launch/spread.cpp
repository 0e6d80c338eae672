#include "lb/launch/spread.h"

#include <algorithm>
#include <cmath>

namespace weir {

void Spread::add(Duration duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const double position = us <= 1 ? 0.0 : 8.0 * std::log2(static_cast<double>(us));
  ++buckets_[std::min(static_cast<size_t>(position), kBuckets - 1)];
  ++count_;
}

double Spread::quantile_ms(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > 0 && seen >= wanted) return std::exp2(static_cast<double>(i + 1) / 8.0) / 1000.0;
  }
  return 0.0;
}

}  // namespace weir
