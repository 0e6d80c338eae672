#include "bench/engine/load_search.h"

#include <algorithm>
#include <cmath>

namespace weir {

LoadSearch::LoadSearch(double first, double precision, bool whole_numbers)
    : precision_(precision), is_whole_(whole_numbers), load_(first) {}

std::optional<double> LoadSearch::next() const {
  if (is_over_) return std::nullopt;
  return load_;
}

// What could not be judged is tried once more, since a tester may have been disturbed; a second
// time ends the search: to go higher would tell as little.
void LoadSearch::tell(StepVerdict verdict) {
  ++steps_;
  if (verdict == StepVerdict::holds) good_ = std::max(good_, load_);
  if (verdict == StepVerdict::breaks) bad_ = bad_ == 0 ? load_ : std::min(bad_, load_);
  if (verdict == StepVerdict::unknown || steps_ >= kMostSteps) {
    is_over_ = is_second_try_ || steps_ >= kMostSteps;
    is_second_try_ = true;
    return;
  }
  is_second_try_ = false;
  double wanted = load_;
  if (bad_ == 0) {
    wanted = good_ * 2;
  } else if (good_ == 0) {
    wanted = bad_ / 2;
  } else {
    is_over_ = bad_ / good_ - 1 <= precision_;
    wanted = std::sqrt(good_ * bad_);
  }
  if (is_whole_) wanted = std::round(wanted);
  const bool is_known = wanted == good_ || wanted == bad_;
  is_over_ = is_over_ || is_known || wanted < (is_whole_ ? 1 : kLeast) || wanted > kMost;
  load_ = wanted;
}

}  // namespace weir
