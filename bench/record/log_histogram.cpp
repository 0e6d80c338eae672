#include "bench/record/log_histogram.h"

#include <algorithm>
#include <cmath>

namespace weir {

void LogHistogram::merge(const LogHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

uint64_t LogHistogram::middle_of(size_t bucket) {
  if (bucket < (size_t{2} << kSubBits)) return bucket;
  const size_t shift = (bucket >> kSubBits) - 1;
  const uint64_t low = uint64_t{bucket - (shift << kSubBits)} << shift;
  return low + (uint64_t{1} << shift) / 2;
}

int64_t LogHistogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(percent / 100 * static_cast<double>(count_));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  if (rank >= count_) return max();
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return static_cast<int64_t>(std::min(middle_of(i), max_));
  }
  return max();
}

}  // namespace weir
