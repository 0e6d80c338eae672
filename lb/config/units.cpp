#include "lb/config/units.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace weir {
namespace {

struct DurationUnit {
  std::string_view name;
  int64_t milliseconds;
};
// Longest names first: "ms" must not be read as "m".
constexpr std::array<DurationUnit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr int64_t kLongestMilliseconds = int64_t{1000} * 86'400'000;

struct SizeUnit {
  std::string_view name;
  size_t bytes;
};
constexpr std::array<SizeUnit, 7> kSizeUnits{{{"KiB", size_t{1} << 10},
                                              {"MiB", size_t{1} << 20},
                                              {"GiB", size_t{1} << 30},
                                              {"KB", 1'000},
                                              {"MB", 1'000'000},
                                              {"GB", 1'000'000'000},
                                              {"B", 1}}};
constexpr size_t kLargestSize = size_t{1} << 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_number(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_digit(c) && c != '.') return false;
  }
  return true;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

Problem no_unit(std::string_view text, std::string_view example, std::string_view units) {
  return Problem{quoted(text) + " has no unit",
                 "write " + quoted(std::string(text) + std::string(example)) +
                     " (units: " + std::string(units) + ")"};
}

Problem bad_duration(std::string_view text) {
  if (is_number(text)) return no_unit(text, "s", "ms s m h d");
  return Problem{"expected a duration, got " + quoted(text),
                 "write a number and a unit, like \"500ms\", \"30s\" or \"10m\""};
}

Problem bad_size(std::string_view text) {
  if (is_number(text)) return no_unit(text, "KiB", "B KiB MiB GiB");
  return Problem{"expected a size, got " + quoted(text),
                 "write a number and a unit, like \"64KiB\" or \"8MiB\""};
}

// Takes "12" or "1.5" off the front.
std::optional<double> take_number(std::string_view& rest) {
  size_t digits = 0;
  while (digits < rest.size() && (is_digit(rest[digits]) || rest[digits] == '.')) ++digits;
  if (digits == 0 || digits > 18 || !is_digit(rest.front()) || !is_digit(rest[digits - 1])) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, value);
  if (error != std::errc() || end != rest.data() + digits) return std::nullopt;
  rest.remove_prefix(digits);
  return value;
}

std::optional<int64_t> take_duration_unit(std::string_view& rest) {
  for (const DurationUnit& unit : kDurationUnits) {
    if (rest.starts_with(unit.name)) {
      rest.remove_prefix(unit.name.size());
      return unit.milliseconds;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Duration, Problem> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.empty() || text.size() > 40) return bad_duration(text.substr(0, 40));
  std::string_view rest = text;
  double milliseconds = 0;
  while (!rest.empty()) {
    const std::optional<double> number = take_number(rest);
    if (!number) return bad_duration(text);
    const std::optional<int64_t> unit = take_duration_unit(rest);
    if (!unit) return bad_duration(text);
    milliseconds += *number * static_cast<double>(*unit);
    if (milliseconds > static_cast<double>(kLongestMilliseconds)) {
      return Problem{quoted(text) + " is longer than 1000 days", "write a shorter duration"};
    }
  }
  return Duration(std::chrono::milliseconds(std::llround(milliseconds)));
}

Result<size_t, Problem> parse_size(std::string_view text) {
  if (text == "0") return size_t{0};
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > 13) return bad_size(text.substr(0, 40));
  size_t number = 0;
  std::from_chars(text.data(), text.data() + digits, number);
  const std::string_view unit_text = text.substr(digits);
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit_text != unit.name) continue;
    if (number > kLargestSize / unit.bytes) {
      return Problem{quoted(text) + " is more than 1024GiB", "write a smaller size"};
    }
    return number * unit.bytes;
  }
  return bad_size(text.substr(0, 40));
}

Result<uint64_t, Problem> parse_count(std::string_view text, uint64_t least, uint64_t most) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (is_whole && value >= least && value <= most) return value;
  return Problem{"expected a whole number from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", got " + quoted(text.substr(0, 40)),
                 ""};
}

Result<double, Problem> parse_share(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (is_whole && value >= 0 && value <= 1) return value + 0.0;  // -0 is 0
  return Problem{"expected a number from 0 to 1, got " + quoted(text.substr(0, 40)),
                 "write a share, like 0.2"};
}

std::string duration_text(Duration duration) {
  int64_t left = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (left <= 0) return "0";
  std::string text;
  constexpr std::array<size_t, 4> kLargestFirst{3, 2, 1,
                                                0};  // hours first: days are for reading only
  for (const size_t i : kLargestFirst) {
    const DurationUnit& unit = kDurationUnits[i];
    const int64_t count = left / unit.milliseconds;
    if (count > 0) text += std::to_string(count) + std::string(unit.name);
    left %= unit.milliseconds;
  }
  return text;
}

std::string size_text(size_t size) {
  if (size == 0) return "0";
  constexpr std::array<size_t, 3> kLargestFirst{2, 1, 0};
  for (const size_t i : kLargestFirst) {
    const SizeUnit& unit = kSizeUnits[i];
    if (size % unit.bytes == 0) return std::to_string(size / unit.bytes) + std::string(unit.name);
  }
  return std::to_string(size) + "B";
}

std::string share_text(double share) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), share);
  return error == std::errc() ? std::string(text.data(), end) : "0";
}

}  // namespace weir
