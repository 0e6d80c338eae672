#include "bench/report/condition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace weir {
namespace {

using Measure = Condition::Measure;

constexpr size_t kMostConditions = 32;

struct MeasureName {
  std::string_view name;
  Measure measure;
};
constexpr std::array<MeasureName, 16> kMeasures{{
    {"ttft", Measure::ttft},
    {"tpot", Measure::tpot},
    {"itl", Measure::itl},
    {"e2el", Measure::e2el},
    {"e2e", Measure::e2el},
    {"errors", Measure::errors},
    {"truncated", Measure::truncated},
    {"failed", Measure::failed},
    {"rejected", Measure::rejected},
    {"output_throughput", Measure::output_throughput},
    {"tokens_per_s", Measure::output_throughput},
    {"request_throughput", Measure::request_throughput},
    {"requests_per_s", Measure::request_throughput},
    {"goodput", Measure::goodput},
    {"request_goodput", Measure::goodput},
    {"goodput_share", Measure::goodput_share},
}};

bool is_time(Measure measure) {
  return measure <= Measure::e2el;
}
bool is_count(Measure measure) {
  return measure >= Measure::errors && measure <= Measure::rejected;
}

bool read_number(std::string_view text, double* value, std::string_view* unit) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(*value) || *value < 0) return false;
  *unit = std::string_view(rest, static_cast<size_t>(end - rest));
  return true;
}

// In ms; a bare number is ms, as vLLM has it.
bool read_ms(std::string_view text, double* ms) {
  std::string_view unit;
  if (!read_number(text, ms, &unit)) return false;
  if (unit == "s") *ms *= 1000;
  if (unit == "us") *ms /= 1000;
  return unit.empty() || unit == "ms" || unit == "s" || unit == "us";
}

const MeasureName* find_measure(std::string_view name) {
  const auto found = std::ranges::find(kMeasures, name, &MeasureName::name);
  return found == kMeasures.end() ? nullptr : &*found;
}

bool read_percent(std::string_view text, double* percent) {
  std::string_view unit;
  return read_number(text, percent, &unit) && unit.empty() && *percent > 0 && *percent < 100;
}

bool read_statistic(std::string_view word, Condition* condition) {
  if (word.starts_with('p')) return read_percent(word.substr(1), &condition->percent);
  condition->percent = 50;
  if (word == "median") return true;
  condition->statistic = word == "mean" ? Condition::Statistic::mean : Condition::Statistic::most;
  return word == "mean" || word == "max";
}

// "ttft_p99", "p99_ttft_ms", "median_itl_ms", "errors"
bool read_measure(std::string_view name, Condition* condition) {
  if (name.ends_with("_ms")) name.remove_suffix(3);
  if (const MeasureName* plain = find_measure(name)) {
    condition->measure = plain->measure;
    if (!is_time(plain->measure)) condition->statistic = Condition::Statistic::plain;
    return true;
  }
  for (size_t at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
    const MeasureName* front = find_measure(name.substr(0, at));
    const MeasureName* back = find_measure(name.substr(at + 1));
    const MeasureName* found = front != nullptr ? front : back;
    if (found == nullptr || !is_time(found->measure)) continue;
    condition->measure = found->measure;
    return read_statistic(front != nullptr ? name.substr(at + 1) : name.substr(0, at), condition);
  }
  return false;
}

bool read_limit(std::string_view text, Condition* condition) {
  if (is_time(condition->measure)) return read_ms(text, &condition->limit);
  std::string_view unit;
  if (!read_number(text, &condition->limit, &unit)) return false;
  if (unit == "%" && condition->measure == Measure::goodput) {
    condition->measure = Measure::goodput_share;
  }
  condition->is_share = is_count(condition->measure) && unit == "%";
  if (unit == "%") condition->limit /= 100;
  if (unit == "%") return condition->is_share || condition->measure == Measure::goodput_share;
  return unit.empty() || unit == "tok/s" || unit == "req/s";
}

Result<Condition, Problem> read_condition(std::string_view text, std::string_view option) {
  const std::string help =
      "write a measure, < or >, and a limit: ttft_p99<500ms, itl_p99<50ms, errors<1%, "
      "output_throughput>1000";
  const auto wrong = [&](std::string_view why) {
    return Problem{std::string(option) + " " + std::string(text) + ": " + std::string(why), help};
  };
  Condition condition;
  condition.text = text;
  size_t at = text.find_first_of("<>=");
  if (at == std::string_view::npos || at == 0) return wrong("there is no < or > in it");
  if (!read_measure(text.substr(0, at), &condition)) {
    return wrong("\"" + std::string(text.substr(0, at)) +
                 "\" is none of ttft, tpot, itl, e2el (with _p99, _mean, _max), errors, truncated, "
                 "failed, rejected, output_throughput, request_throughput, goodput");
  }
  condition.is_above = text[at] == '>';
  condition.is_equal_in = text[at] == '=';  // ttft_p99=500ms is a limit
  if (text.substr(at + 1).starts_with('=')) {
    condition.is_equal_in = true;
    ++at;
  }
  if (!read_limit(text.substr(at + 1), &condition)) {
    return wrong("\"" + std::string(text.substr(at + 1)) + "\" is no limit for that");
  }
  return condition;
}

// The parts between commas, without spaces.
std::vector<std::string> parts_of(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    std::string part;
    for (const char c : text + ",") {
      if (c != ',' && c != ' ') part += c;
      if (c == ',' && !part.empty()) parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

}  // namespace

bool Condition::holds_for(double value) const {
  if (is_equal_in && value == limit) return true;
  return is_above ? value > limit : value < limit;
}

Result<std::vector<Condition>, Problem> parse_conditions(const std::vector<std::string>& texts,
                                                         std::string_view option) {
  std::vector<Condition> conditions;
  for (const std::string& part : parts_of(texts)) {
    Result<Condition, Problem> condition = read_condition(part, option);
    if (!condition) return condition.error();
    conditions.push_back(std::move(*condition));
  }
  if (conditions.size() > kMostConditions) {
    return Problem{std::string(option) + ": more than 32 conditions", "drop some of them"};
  }
  return conditions;
}

Result<std::vector<GoodputLimit>, Problem> parse_goodput(const std::vector<std::string>& texts) {
  std::vector<GoodputLimit> limits;
  for (const std::string& part : parts_of(texts)) {
    GoodputLimit limit;
    const size_t at = part.find_first_of(":=<");
    const MeasureName* measure = find_measure(part.substr(0, at));
    const bool is_known = measure != nullptr && is_time(measure->measure);
    if (at == std::string::npos || !is_known || !read_ms(part.substr(at + 1), &limit.limit_ms)) {
      return Problem{"--goodput " + part + ": expected one of ttft, tpot, itl, e2el and a time",
                     "write --goodput ttft:500ms,tpot:50ms"};
    }
    constexpr std::array<GoodputLimit::Measure, 4> kLimits{
        GoodputLimit::Measure::ttft, GoodputLimit::Measure::tpot, GoodputLimit::Measure::itl,
        GoodputLimit::Measure::e2el};
    limit.measure = kLimits[static_cast<size_t>(measure->measure)];
    limits.push_back(limit);
  }
  if (limits.size() > kMostConditions) {
    return Problem{"--goodput: more than 32 limits", "drop some of them"};
  }
  return limits;
}

Result<std::vector<double>, Problem> parse_percentiles(std::string_view text) {
  std::vector<double> percents{50, 99};
  for (const std::string& part : parts_of({std::string(text)})) {
    double percent = 0;
    if (!read_percent(part, &percent)) {
      return Problem{"--percentiles: \"" + part.substr(0, 80) + "\" does not lie between 0 and 100",
                     "write --percentiles 50,90,99,99.9"};
    }
    percents.push_back(percent);
  }
  std::ranges::sort(percents);
  const auto twice = std::ranges::unique(percents);
  percents.erase(twice.begin(), twice.end());
  if (percents.size() > 16) return Problem{"--percentiles: more than 16", "drop some of them"};
  return percents;
}

std::string percent_text(double percent) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), percent).ptr;
  return {text.data(), end};
}

}  // namespace weir
