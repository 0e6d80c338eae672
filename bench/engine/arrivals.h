// When requests come in an open loop: stages of a rate that stands still or moves in time, and how
// irregular the distances are. Equal seeds give equal times. Times in ns from the start of the run.
// Pure; one object a thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"
#include "weir/timer.h"

#include "bench/engine/dice.h"

namespace weir {

// For `length_s` the rate goes from `begin` to `end` (requests a second), linear in time.
struct RateStage {
  double begin = 0;
  double end = 0;
  double length_s = 0;  // 0 = for ever; only of the last one
};

struct ArrivalOptions {
  enum class Kind : uint8_t { constant, poisson, gamma, on_off } kind = Kind::poisson;
  double shape = 1;  // gamma: 1 = Poisson, below 1 = in bursts
  double on_s = 0;   // on_off: Poisson while on, the rate raised so that its mean is as asked
  double off_s = 0;
  std::vector<RateStage> stages;

  double mean_rate() const;       // over the stages; of an endless last one, its rate
  double length_s() const;        // of all stages; 0 = endless
  std::string to_string() const;  // "20 req/s Poisson"
};

// "poisson", "constant", "gamma:0.5", "onoff:5s/15s" (by parse_seconds below).
Result<Ok, Problem> parse_arrival_kind(std::string_view text, ArrivalOptions* options);
// "20", "5:50/2m" (a ramp), "5/30s,20/1m,20:5/30s" (stages).
Result<std::vector<RateStage>, Problem> parse_rates(std::string_view text);
// "500ms", "30s", "2m", "1h" as seconds.
Result<double, Problem> parse_seconds(std::string_view text);

class Arrivals {
 public:
  Arrivals(const ArrivalOptions& options, uint64_t seed);

  // The next time, never before the last one; nullopt when the stages are over.
  std::optional<int64_t> next();

 private:
  double next_unit();
  std::optional<double> time_of(double area);
  double from_on_time(double on_time) const;

  const ArrivalOptions options_;
  Dice dice_;
  double area_ = 0;  // how many arrivals the rate promises up to the last one, at mean distances
  size_t stage_ = 0;
  double stage_begin_s_ = 0;
  double stage_area_ = 0;  // of all stages before
};

}  // namespace weir
