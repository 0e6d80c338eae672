// What a run is held against: conditions such as "ttft_p99<500ms" or "errors>0", and the limits of
// goodput, "ttft:500ms". Pure; value types, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

namespace weir {

// ttft<500ms is ttft_p99<500ms; counts may be shares: errors<1%.
struct Condition {
  enum class Measure : uint8_t {
    ttft,
    tpot,
    itl,
    e2el,
    errors,  // truncated, failed and rejected
    truncated,
    failed,
    rejected,
    output_throughput,  // tokens/s
    request_throughput,
    goodput,        // req/s within the limits of --goodput
    goodput_share,  // of the finished requests: "goodput>95%"
  };
  enum class Statistic : uint8_t { percentile, mean, most, plain };
  Measure measure = Measure::ttft;
  Statistic statistic = Statistic::percentile;
  double percent = 99;
  bool is_above = false;     // > or >=
  bool is_equal_in = false;  // <= or >=
  bool is_share = false;     // of counts: the limit is a share of 1
  double limit = 0;          // ms, tokens/s, requests/s, a count or a share
  std::string text;          // as given, without spaces

  bool holds_for(double value) const;
};

// A comma or another option separates them; at most 32.
Result<std::vector<Condition>, Problem> parse_conditions(const std::vector<std::string>& texts,
                                                         std::string_view option);

struct GoodputLimit {
  enum class Measure : uint8_t { ttft, tpot, itl, e2el } measure = Measure::ttft;
  double limit_ms = 0;  // of itl: of the worst gap but one in a hundred of the request
};
// vLLM's words: "ttft:500" (ms) and ours: "ttft:0.5s"; "=" and "<" do as well.
Result<std::vector<GoodputLimit>, Problem> parse_goodput(const std::vector<std::string>& texts);

// "50,90,99.9": between 0 and 100, at most 16, ascending in the result; always with 50 and 99.
Result<std::vector<double>, Problem> parse_percentiles(std::string_view text);

std::string percent_text(double percent);  // "99", "99.9"

}  // namespace weir
