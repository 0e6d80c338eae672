// Which load to try next, to find the highest that holds: doubling until one breaks (halving while
// the first does not hold), then in between. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "bench/record/run_sink.h"

namespace weir {

class LoadSearch {
 public:
  // Ends when the load is known to a share of `precision` (0.05 = 5 %), or after kMostSteps.
  LoadSearch(double first, double precision, bool whole_numbers);

  std::optional<double> next() const;  // nullopt: it is over
  void tell(StepVerdict verdict);      // of next()

  double highest_good() const { return good_; }  // 0: none
  double lowest_bad() const { return bad_; }     // 0: none

 private:
  static constexpr uint32_t kMostSteps = 24;
  static constexpr double kLeast = 0.01;
  static constexpr double kMost = 1e6;

  double precision_;
  bool is_whole_;
  double load_;
  double good_ = 0;
  double bad_ = 0;
  uint32_t steps_ = 0;
  bool is_over_ = false;
  bool is_second_try_ = false;
};

}  // namespace weir
