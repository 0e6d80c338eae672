#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "bench/report/request_times.h"
#include "bench/report/run_parts.h"

namespace weir {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;

double worst_gap_but_one_in_a_hundred(const RunRecord& run, const RequestRecord& request) {
  std::vector<double> gaps;
  for (const uint32_t gap : run.gaps_of(request)) gaps.push_back(gap_ms(gap));
  return Samples(std::move(gaps)).percentile(99);
}

// A request without that time (a single token has no TPOT) keeps its limit, as in vLLM.
bool is_good(const RunRecord& run, const RequestRecord& request,
             const std::vector<GoodputLimit>& limits, bool is_from_send) {
  if (!is_ok(request)) return false;
  return std::ranges::all_of(limits, [&](const GoodputLimit& limit) {
    switch (limit.measure) {
      case GoodputLimit::Measure::ttft:
        return (is_from_send ? ttft_from_send_ms(request) : ttft_ms(request)) <= limit.limit_ms;
      case GoodputLimit::Measure::tpot:
        return tpot_ms(request) <= limit.limit_ms;
      case GoodputLimit::Measure::e2el:
        return (is_from_send ? e2el_from_send_ms(request) : e2el_ms(request)) <= limit.limit_ms;
      case GoodputLimit::Measure::itl:
        break;
    }
    return worst_gap_but_one_in_a_hundred(run, request) <= limit.limit_ms;
  });
}

}  // namespace

WindowNumbers window_of(const RunRecord& run) {
  WindowNumbers window{run.steady_begin_ns, run.steady_end_ns, true};
  if (window.end_ns - window.begin_ns < kSecond_ns) {
    window.end_ns = std::max(run.ended_ns, window.begin_ns);
    window.is_steady = false;
  }
  return window;
}

ThroughputNumbers throughput_of(const RunRecord& run, const WindowNumbers& window) {
  ThroughputNumbers sums;
  if (window.end_ns <= window.begin_ns) return sums;
  const auto is_in = [&](int64_t at) { return at >= window.begin_ns && at <= window.end_ns; };
  for (const RequestRecord& request : run.requests) {
    if (!is_ok(request)) continue;
    const double tokens = output_tokens_of(request);
    if (is_in(request.ended_ns)) ++sums.requests;
    const int64_t prefilled =
        request.first_token_ns != kNoTime ? request.first_token_ns : request.ended_ns;
    if (is_in(prefilled)) sums.input_tokens += std::max(0, request.prompt_tokens);
    if (request.first_token_ns == kNoTime) {
      if (is_in(request.ended_ns)) sums.output_tokens += tokens;
      continue;
    }
    uint32_t inside = 0;
    for_each_event(run, request, [&](int64_t at) { inside += is_in(at) ? 1 : 0; });
    sums.events += inside;
    sums.output_tokens += tokens * inside / (request.gap_count + 1);
  }
  const double seconds = window.seconds();
  return {sums.requests / seconds, sums.output_tokens / seconds, sums.input_tokens / seconds,
          sums.events / seconds};
}

double best_second_of(const RunRecord& run, const RequestList& requests) {
  int64_t begin = kNoTime;
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request) || request->sent_ns == kNoTime) continue;
    if (begin == kNoTime || request->sent_ns < begin) begin = request->sent_ns;
  }
  std::unordered_map<int64_t, uint64_t> seconds;
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request)) continue;
    for_each_event(run, *request, [&](int64_t at) { ++seconds[(at - begin) / kSecond_ns]; });
  }
  uint64_t best = 0;
  for (const auto& [second, events] : seconds) best = std::max(best, events);
  return static_cast<double>(best);
}

uint32_t most_open_of(const RequestList& requests) {
  std::vector<std::pair<int64_t, int>> changes;
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request) || request->sent_ns == kNoTime) continue;
    changes.emplace_back(request->sent_ns, +1);
    changes.emplace_back(request->ended_ns, -1);
  }
  std::ranges::sort(changes);  // at the same time an end comes before a beginning
  int64_t open = 0;
  int64_t most = 0;
  for (const auto& [at, change] : changes) {
    open += change;
    most = std::max(most, open);
  }
  return static_cast<uint32_t>(most);
}

TokenNumbers tokens_of(const RequestList& requests) {
  TokenNumbers tokens;
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request)) continue;
    tokens.input += static_cast<uint64_t>(std::max(0, request->prompt_tokens));
    tokens.output += output_tokens_of(*request);
    tokens.cached += static_cast<uint64_t>(std::max(0, request->cached_tokens));
    tokens.without_usage += request->output_tokens < 0 ? 1 : 0;
    tokens.events += request->token_events;
  }
  return tokens;
}

GoodputNumbers goodput_of(const RunRecord& run, const WindowNumbers& window,
                          const std::vector<GoodputLimit>& limits) {
  GoodputNumbers goodput;
  uint64_t finished = 0;
  uint64_t in_window = 0;
  for (const RequestRecord& request : run.requests) {
    const bool is_within = is_good(run, request, limits, false);
    if (is_within && request.ended_ns >= window.begin_ns && request.ended_ns <= window.end_ns) {
      ++in_window;
    }
    if (request.is_warm_up || request.outcome == RequestOutcome::unfinished) continue;
    ++finished;
    goodput.good += is_within ? 1 : 0;
    goodput.vllm_good += is_good(run, request, limits, true) ? 1 : 0;
  }
  if (finished > 0) {
    goodput.share = static_cast<double>(goodput.good) / static_cast<double>(finished);
  }
  if (window.seconds() > 0) goodput.per_s = static_cast<double>(in_window) / window.seconds();
  return goodput;
}

}  // namespace weir
