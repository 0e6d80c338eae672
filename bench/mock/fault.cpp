#include "bench/mock/fault.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace weir {
namespace {

enum class When : uint8_t { nothing, duration, needs_duration, tokens, requests };

struct Row {
  std::string_view text;
  FaultKind kind;
  When when;
  bool at_start;  // only the command line
  bool by_admin;  // only POST /mock/fault
};

constexpr std::array kRows{
    Row{"none", FaultKind::none, When::nothing, false, false},
    Row{"die_at_start", FaultKind::die_at_start, When::duration, true, false},
    Row{"never_ready", FaultKind::never_ready, When::nothing, true, false},
    Row{"slow_start", FaultKind::slow_start, When::needs_duration, true, false},
    Row{"die", FaultKind::die, When::nothing, false, false},
    Row{"500", FaultKind::http_500, When::requests, false, false},
    Row{"503", FaultKind::http_503, When::requests, false, false},
    Row{"die_in_prefill", FaultKind::die_in_prefill, When::duration, false, false},
    Row{"die_mid_stream", FaultKind::die_mid_stream, When::tokens, false, false},
    Row{"reset_mid_stream", FaultKind::reset_mid_stream, When::tokens, false, false},
    Row{"fin_mid_stream", FaultKind::fin_mid_stream, When::tokens, false, false},
    Row{"hang:in_prefill", FaultKind::hang_in_prefill, When::nothing, false, false},
    Row{"hang:mid_stream", FaultKind::hang_mid_stream, When::tokens, false, false},
    Row{"hang:health", FaultKind::hang_health, When::nothing, false, false},
    Row{"hang", FaultKind::hang_in_prefill, When::nothing, false, false},
    Row{"unhealthy", FaultKind::unhealthy, When::nothing, false, false},
    Row{"slow_prefill", FaultKind::slow_prefill, When::needs_duration, false, false},
    Row{"abort", FaultKind::abort, When::tokens, false, false},
    Row{"error_event", FaultKind::error_event, When::tokens, false, false},
    Row{"close_idle_at_once", FaultKind::close_idle_at_once, When::duration, false, false},
    Row{"drop_reused", FaultKind::drop_reused, When::nothing, false, false},
    Row{"term:abort", FaultKind::term_abort, When::nothing, false, true},
    Row{"term:drain", FaultKind::term_drain, When::nothing, false, true},
    Row{"term:hang", FaultKind::term_hang, When::nothing, false, true},
    Row{"term:exit", FaultKind::term_exit, When::nothing, false, true},
};

bool is_allowed(const Row& row, FaultPlace place) {
  if (row.at_start) return place == FaultPlace::command_line;
  if (row.by_admin) return place == FaultPlace::admin;
  return true;
}

// The row whose text is all of `text` or what stands before one of its colons; of several the
// longest.
const Row* find_row(std::string_view text) {
  const Row* best = nullptr;
  for (const Row& row : kRows) {
    if (!text.starts_with(row.text)) continue;
    if (text.size() > row.text.size() && text[row.text.size()] != ':') continue;
    if (best == nullptr || row.text.size() > best->text.size()) best = &row;
  }
  return best;
}

std::string kinds_for(FaultPlace place) {
  std::string out;
  for (const Row& row : kRows) {
    if (!is_allowed(row, place)) continue;
    if (!out.empty()) out += ", ";
    out += row.text;
  }
  return out;
}

Problem unknown_kind(std::string_view text, FaultPlace place) {
  return Problem{fmt::format("fault \"{}\": no such kind", text.substr(0, 80)),
                 "use one of " + kinds_for(place)};
}

Problem wrong_place(const Row& row) {
  const std::string_view help = row.at_start ? "give it with --fault, when the server is started"
                                             : "send it with POST /mock/fault";
  return Problem{fmt::format("fault \"{}\" makes no sense here", row.text), std::string(help)};
}

Result<uint32_t, Problem> parse_count(const Row& row, std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > 10'000'000) {
    const std::string_view what = row.when == When::tokens ? "tokens" : "requests";
    return Problem{
        fmt::format("fault \"{}\": \"{}\" is no number of {}", row.text, text.substr(0, 80), what),
        fmt::format("write {}:N, as in {}:5", row.text, row.text)};
  }
  return number;
}

Result<Fault, Problem> with_when(const Row& row, std::string_view when) {
  Fault fault;
  fault.kind = row.kind;
  switch (row.when) {
    case When::nothing:
      return Problem{fmt::format("fault \"{}\" takes nothing behind it, got \"{}\"", row.text,
                                 when.substr(0, 80)),
                     fmt::format("write just {}", row.text)};
    case When::duration:
    case When::needs_duration: {
      const Result<Duration, Problem> delay = parse_mock_duration(when);
      if (!delay)
        return Problem{fmt::format("fault \"{}\": {}", row.text, delay.error().what),
                       delay.error().help};
      fault.delay = *delay;
      return fault;
    }
    case When::tokens:
    case When::requests: {
      const Result<uint32_t, Problem> number = parse_count(row, when);
      if (!number) return number.error();
      (row.when == When::tokens ? fault.tokens : fault.count) = *number;
      return fault;
    }
  }
  return fault;
}

struct Unit {
  std::string_view text;
  double nanoseconds;
};
constexpr std::array kUnits{Unit{"us", 1e3}, Unit{"ms", 1e6},   Unit{"s", 1e9},
                            Unit{"m", 60e9}, Unit{"h", 3600e9}, Unit{"", 1e9}};
constexpr double kLongest = 86400e9 * 30;

}  // namespace

Result<Fault, Problem> parse_fault(std::string_view text, FaultPlace place) {
  const Row* row = find_row(text);
  if (row == nullptr) return unknown_kind(text, place);
  if (!is_allowed(*row, place)) return wrong_place(*row);
  if (text.size() > row->text.size()) return with_when(*row, text.substr(row->text.size() + 1));
  if (row->when == When::needs_duration) {
    return Problem{fmt::format("fault \"{}\" needs a duration", row->text),
                   fmt::format("write {}:D, as in {}:2s", row->text, row->text)};
  }
  Fault fault;
  fault.kind = row->kind;
  return fault;
}

Result<Duration, Problem> parse_mock_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit_text = text.substr(static_cast<size_t>(end - text.data()));
  const auto unit = std::ranges::find(kUnits, unit_text, &Unit::text);
  if (error != std::errc{} || unit == kUnits.end() || !std::isfinite(number) || number < 0 ||
      number * unit->nanoseconds > kLongest) {
    return Problem{fmt::format("\"{}\" is no duration", text.substr(0, 80)),
                   "write a number and a unit: 250us, 80ms, 1.5s, 2m, 1h"};
  }
  return Duration(static_cast<Duration::rep>(number * unit->nanoseconds));
}

std::string to_string(const Fault& fault) {
  const auto row = std::ranges::find(kRows, fault.kind, &Row::kind);
  if (row->when == When::tokens) return fmt::format("{}:{}", row->text, fault.tokens);
  if (row->when == When::requests && fault.count > 0)
    return fmt::format("{}:{}", row->text, fault.count);
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(fault.delay).count();
  if (us > 0) return fmt::format("{}:{}us", row->text, us);
  return std::string(row->text);
}

}  // namespace weir
