#include "bench/engine/arrivals.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/engine/length_choice.h"

namespace weir {
namespace {

constexpr double kMostRate = 1e6;     // requests a second
constexpr double kMostSeconds = 1e6;  // eleven days
constexpr size_t kMostStages = 1000;
constexpr uint64_t kStreamOfArrivals = 1;

double area_of(const RateStage& stage) {
  return (stage.begin + stage.end) / 2 * stage.length_s;
}

Problem not_a_rate(std::string_view text) {
  return {"expected requests a second, got \"" + std::string(text.substr(0, 80)) + "\"",
          "write 20, 5:50/2m for a ramp, or 5/30s,20/1m for stages"};
}

bool read_stage(std::string_view text, RateStage* stage) {
  const size_t slash = text.find('/');
  if (slash != text.npos) {
    const Result<double, Problem> length = parse_seconds(text.substr(slash + 1));
    if (!length || *length <= 0) return false;
    stage->length_s = *length;
    text = text.substr(0, slash);
  }
  const size_t colon = text.find(':');
  if (!parse_number(text.substr(0, colon), 0, kMostRate, &stage->begin)) return false;
  stage->end = stage->begin;
  if (colon == text.npos) return true;
  return slash != text.npos && parse_number(text.substr(colon + 1), 0, kMostRate, &stage->end);
}

}  // namespace

Result<double, Problem> parse_seconds(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  for (const auto& [name, factor] : kUnits) {
    if (text.substr(digits) != name) continue;
    if (!parse_number(text.substr(0, digits), 0, kMostSeconds / factor, &number)) break;
    return number * factor;
  }
  return Problem{"expected a duration, got \"" + std::string(text.substr(0, 80)) + "\"",
                 "write it with its unit, like 500ms, 30s, 2m"};
}

Result<Ok, Problem> parse_arrival_kind(std::string_view text, ArrivalOptions* options) {
  using Kind = ArrivalOptions::Kind;
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  const std::string_view value = text.substr(std::min(colon + 1, text.size()));
  if (text == "poisson" || text == "constant") {
    options->kind = text == "poisson" ? Kind::poisson : Kind::constant;
    return Ok{};
  }
  if (name == "gamma" && parse_number(value, 0.01, 10'000, &options->shape)) {
    options->kind = Kind::gamma;
    return Ok{};
  }
  if (const size_t slash = value.find('/'); name == "onoff" && slash != value.npos) {
    const Result<double, Problem> on = parse_seconds(value.substr(0, slash));
    const Result<double, Problem> off = parse_seconds(value.substr(slash + 1));
    if (on && off && *on > 0 && *off > 0) {
      options->kind = Kind::on_off;
      options->on_s = *on;
      options->off_s = *off;
      return Ok{};
    }
  }
  return Problem{"unknown arrivals \"" + std::string(text.substr(0, 80)) + "\"",
                 "write poisson, constant, gamma:SHAPE (0.01 to 10000) or onoff:5s/15s"};
}

Result<std::vector<RateStage>, Problem> parse_rates(std::string_view text) {
  std::vector<RateStage> stages;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    RateStage stage;
    const bool is_endless_before_others = !stages.empty() && stages.back().length_s == 0;
    if (stages.size() >= kMostStages || is_endless_before_others ||
        !read_stage(rest.substr(0, comma), &stage)) {
      return not_a_rate(text);
    }
    stages.push_back(stage);
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  const auto gives = [](const RateStage& stage) { return stage.begin + stage.end > 0; };
  if (!std::ranges::any_of(stages, gives)) return not_a_rate(text);
  return stages;
}

double ArrivalOptions::length_s() const {
  double length = 0;
  for (const RateStage& stage : stages) {
    if (stage.length_s == 0) return 0;
    length += stage.length_s;
  }
  return length;
}

double ArrivalOptions::mean_rate() const {
  if (stages.empty()) return 0;
  if (stages.back().length_s == 0) return stages.back().begin;
  double area = 0;
  for (const RateStage& stage : stages) area += area_of(stage);
  return area / length_s();
}

std::string ArrivalOptions::to_string() const {
  std::string text;
  for (const RateStage& stage : stages) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}", stage.begin);
    if (stage.end != stage.begin) text += fmt::format(" to {}", stage.end);
    if (stage.length_s > 0) text += fmt::format(" for {} s", stage.length_s);
  }
  text += " req/s ";
  if (kind == Kind::constant) return text + "at equal distances";
  if (kind == Kind::gamma) return text + fmt::format("gamma {}", shape);
  if (kind == Kind::on_off) return text + fmt::format("in bursts, {} s on, {} s off", on_s, off_s);
  return text + "Poisson";
}

Arrivals::Arrivals(const ArrivalOptions& options, uint64_t seed)
    : options_(options), dice_(seed, kStreamOfArrivals) {}

// A distance of mean 1.
double Arrivals::next_unit() {
  if (options_.kind == ArrivalOptions::Kind::constant) return 1;
  if (options_.kind == ArrivalOptions::Kind::gamma) {
    return dice_.gamma(options_.shape) / options_.shape;
  }
  return dice_.exponential();
}

// Arrivals at unit rate are stretched to the rate of their time: the n-th comes when the integral
// of the rate reaches what it is due at.
std::optional<int64_t> Arrivals::next() {
  area_ += next_unit();
  const std::optional<double> seconds = time_of(area_);
  if (!seconds) return std::nullopt;
  return static_cast<int64_t>(*seconds * 1e9);
}

std::optional<double> Arrivals::time_of(double area) {
  while (stage_ < options_.stages.size()) {
    const RateStage& stage = options_.stages[stage_];
    const double inside = area - stage_area_;
    if (stage.length_s == 0) {
      return stage.begin > 0 ? std::optional(from_on_time(stage_begin_s_ + inside / stage.begin))
                             : std::nullopt;
    }
    if (inside <= area_of(stage)) {
      // begin * t + slope / 2 * t^2 = inside, in the form that has no cancellation.
      const double slope = (stage.end - stage.begin) / stage.length_s;
      const double root = std::sqrt(std::max(0.0, stage.begin * stage.begin + 2 * slope * inside));
      const double divisor = stage.begin + root;
      return from_on_time(stage_begin_s_ + (divisor > 0 ? 2 * inside / divisor : 0));
    }
    stage_area_ += area_of(stage);
    stage_begin_s_ += stage.length_s;
    ++stage_;
  }
  return std::nullopt;
}

// on_off: what would be spread over a period is pressed into its first part.
double Arrivals::from_on_time(double time) const {
  if (options_.kind != ArrivalOptions::Kind::on_off) return time;
  const double period = options_.on_s + options_.off_s;
  const double begin = std::floor(time / period) * period;
  return begin + (time - begin) * (options_.on_s / period);
}

}  // namespace weir
