// The steps that numbers_of() is made of. Pure; any thread.
#pragma once

#include <vector>

#include "bench/report/run_numbers.h"

namespace weir {

WindowNumbers window_of(const RunRecord& run);
// All requests, those of the warm-up too: what streams in the window counts in it.
ThroughputNumbers throughput_of(const RunRecord& run, const WindowNumbers& window);
double best_second_of(const RunRecord& run, const RequestList& requests);  // events
uint32_t most_open_of(const RequestList& requests);
TokenNumbers tokens_of(const RequestList& requests);
GoodputNumbers goodput_of(const RunRecord& run, const WindowNumbers& window,
                          const std::vector<GoodputLimit>& limits);

std::vector<BackendNumbers> backends_of(const RunRecord& run, const RequestList& requests);
ImbalanceNumbers imbalance_of(const std::vector<BackendNumbers>& backends);
std::vector<TargetNumbers> targets_of(const RunRecord& run, const RequestList& requests);
std::vector<SecondNumbers> seconds_of(const RunRecord& run, const RequestList& requests);
TesterNumbers tester_of(const RunRecord& run);

// Calls each(time_ns) for every event with text of the request, in order.
template <typename Each>
void for_each_event(const RunRecord& run, const RequestRecord& request, Each each) {
  if (request.first_token_ns == kNoTime) return;
  int64_t at = request.first_token_ns;
  each(at);
  for (const uint32_t gap : run.gaps_of(request)) {
    at += int64_t{gap} * kGapTick_ns;
    each(at);
  }
}

}  // namespace weir
