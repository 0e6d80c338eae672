#include "bench/report/samples.h"

#include <algorithm>
#include <cmath>

namespace weir {

double percentile_of_sorted(std::span<const double> sorted, double percent) {
  if (sorted.empty()) return 0;
  const double position =
      std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = position - static_cast<double>(below);
  return sorted[below] + (sorted[below + 1] - sorted[below]) * part;
}

Samples::Samples(std::vector<double> values) : sorted_(std::move(values)) {
  if (sorted_.empty()) return;
  std::ranges::sort(sorted_);
  const double count = static_cast<double>(sorted_.size());
  double sum = 0;
  for (const double value : sorted_) sum += value;
  mean_ = sum / count;
  double squares = 0;
  for (const double value : sorted_) squares += (value - mean_) * (value - mean_);
  deviation_ = std::sqrt(squares / count);
}

double Samples::percentile(double percent) const {
  return percentile_of_sorted(sorted_, percent);
}

bool Samples::has_tail(double percent) const {
  return static_cast<double>(sorted_.size()) * (100 - percent) >= 99.999;
}

}  // namespace weir
