// Values of one measure, sorted, and what is read off them: mean, deviation, percentiles with
// linear interpolation (numpy's default, so vLLM's). In whatever unit they were given. Value type,
// any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weir {

class Samples {
 public:
  Samples() = default;
  explicit Samples(std::vector<double> values);

  size_t count() const { return sorted_.size(); }
  bool is_empty() const { return sorted_.empty(); }
  std::span<const double> sorted() const { return sorted_; }

  // All 0 when there are none, as in vLLM's files.
  double mean() const { return mean_; }
  double deviation() const { return deviation_; }  // of the population
  double least() const { return sorted_.empty() ? 0 : sorted_.front(); }
  double most() const { return sorted_.empty() ? 0 : sorted_.back(); }
  double median() const { return percentile(50); }
  double percentile(double percent) const;  // 0 to 100

  // Does at least one sample lie beyond that percentile? If not, the largest one is all it shows.
  bool has_tail(double percent) const;

 private:
  std::vector<double> sorted_;
  double mean_ = 0;
  double deviation_ = 0;
};

// Of values that are sorted already; 0 for none.
double percentile_of_sorted(std::span<const double> sorted, double percent);

}  // namespace weir
