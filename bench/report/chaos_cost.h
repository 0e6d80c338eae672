// What each event of --at cost: requests, tokens, time. Pure; value types, any thread.
#pragma once

#include <string>
#include <vector>

#include "bench/report/run_numbers.h"

namespace weir {

struct ChaosCost {
  std::string action;
  std::string result;
  bool is_ok = false;
  double at_s = 0;       // when it began; where it never did, when it was planned
  double until_s = 0;    // what is charged to it: to the next event, at most 30 s
  OutcomeCounts ended;   // requests that ended in that time
  uint64_t retried = 0;  // of those that ended in that time: sent again by the proxy or the tester
  double longest_gap_ms = 0;       // without a token in a stream, begun or ended in that time
  double ttft_p99_ms = -1;         // of requests planned in that time
  double ttft_p99_before_ms = -1;  // of those planned before the first event
  double events_before = 0;        // with text, a second, before the first event
  double events_least = 0;         // in the worst second of that time
  double recovered_s =
      -1;  // until events came at 90 % of the rate before, two seconds running; -1 = never
};

std::vector<ChaosCost> chaos_costs(const RunRecord& run);

}  // namespace weir
