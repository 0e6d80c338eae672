// A histogram of durations with buckets of 1/32 of their value: 16 KiB, exact to 3 %, merged by
// adding. Values in ns; what is longer than 2^47 ns (39 h) counts as that. Value type, one thread
// at a time.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir {

class LogHistogram {
 public:
  void add(int64_t ns) {
    const uint64_t value = ns < 0 ? 0 : static_cast<uint64_t>(ns);
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
    if (value > max_) max_ = value;
  }
  void merge(const LogHistogram& other);

  uint64_t count() const { return count_; }
  int64_t max() const { return static_cast<int64_t>(max_); }
  double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  // The value below which `percent` of 100 lie (the middle of its bucket); 0 when empty.
  int64_t percentile(double percent) const;

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr unsigned kMostBits = 47;
  static constexpr size_t kBuckets = (kMostBits - kSubBits + 2) << kSubBits;

  static size_t bucket_of(uint64_t value) {
    constexpr uint64_t kMost = (uint64_t{1} << (kMostBits + 1)) - 1;
    if (value > kMost) value = kMost;
    const unsigned bits = static_cast<unsigned>(std::bit_width(value));
    if (bits <= kSubBits + 1) return value;
    const unsigned shift = bits - kSubBits - 1;
    return (size_t{shift} << kSubBits) + (value >> shift);
  }
  static uint64_t middle_of(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace weir
