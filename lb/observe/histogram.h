// A histogram with fixed bucket edges, as Prometheus has it. Value type; one thread, merged by
// addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir {

class Histogram {
 public:
  // `edges` rise and outlive the histogram; a value belongs to the first edge that is not below it.
  explicit Histogram(std::span<const double> edges) : edges_(edges), counts_(edges.size() + 1) {}

  void observe(double value, uint64_t times = 1);
  void add(const Histogram& other);  // with the same edges

  std::span<const double> edges() const { return edges_; }
  std::span<const uint64_t> counts() const {
    return counts_;
  }  // one more than edges: the last is +Inf; not cumulative
  uint64_t count() const { return count_; }
  double sum() const { return sum_; }

 private:
  std::span<const double> edges_;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace weir
