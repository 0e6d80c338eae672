#include "lb/observe/histogram.h"

#include <algorithm>

#include "weir/assert.h"

namespace weir {

void Histogram::observe(double value, uint64_t times) {
  const auto edge = std::ranges::lower_bound(edges_, value);
  counts_[static_cast<size_t>(edge - edges_.begin())] += times;
  count_ += times;
  sum_ += value * static_cast<double>(times);
}

void Histogram::add(const Histogram& other) {
  WEIR_ASSERT(edges_.data() == other.edges_.data());
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

}  // namespace weir
