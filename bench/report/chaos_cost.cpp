#include "bench/report/chaos_cost.h"

#include <algorithm>

#include "bench/report/request_times.h"

namespace weir {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;
constexpr int64_t kLongestCharge_ns = 30 * kSecond_ns;
constexpr double kRecovered = 0.9;

struct Span {
  int64_t begin = 0;
  int64_t end = 0;
  bool has(int64_t at) const { return at >= begin && at < end; }
};

int64_t began(const ChaosRecord& event) {
  return event.began_ns != kNoTime ? event.began_ns : event.planned_ns;
}

// To the next event that is later, at most 30 s, at most to the end.
Span charged(const RunRecord& run, const ChaosRecord& event) {
  Span span{began(event), std::min(run.ended_ns, began(event) + kLongestCharge_ns)};
  for (const ChaosRecord& other : run.chaos) {
    if (began(other) > span.begin) span.end = std::min(span.end, began(other));
  }
  span.end = std::max(span.end, span.begin);
  return span;
}

double longest_gap(const RunRecord& run, const RequestRecord& request, Span span) {
  uint32_t longest = 0;
  int64_t at = request.first_token_ns;
  for (const uint32_t gap : run.gaps_of(request)) {
    const int64_t end = at + int64_t{gap} * kGapTick_ns;
    if (at < span.end && end >= span.begin) longest = std::max(longest, gap);
    at = end;
  }
  return gap_ms(longest);
}

double ttft_p99(const RunRecord& run, Span span) {
  std::vector<double> values;
  for (const RequestRecord& request : run.requests) {
    if (!is_ok(request) || request.is_warm_up || !span.has(request.planned_ns)) continue;
    if (ttft_ms(request) >= 0) values.push_back(ttft_ms(request));
  }
  const Samples ttft(std::move(values));
  return ttft.is_empty() ? -1 : ttft.percentile(99);
}

// Whole seconds of the timeline that lie in the span.
std::vector<double> events_by_second(const RunRecord& run, Span span) {
  std::vector<double> events;
  for (size_t i = 0; i < run.timeline.size(); ++i) {
    const int64_t begin = static_cast<int64_t>(i) * kSecond_ns;
    if (begin >= span.begin && begin + kSecond_ns <= span.end) {
      events.push_back(run.timeline[i].token_events);
    }
  }
  return events;
}

void charge_tokens(const RunRecord& run, Span before, Span span, ChaosCost* cost) {
  cost->events_before = Samples(events_by_second(run, before)).mean();
  // Load that ends falls, too: only while requests were still planned.
  span.end = std::min(span.end, run.steady_end_ns);
  const std::vector<double> events = events_by_second(run, span);
  cost->events_least = Samples(events).least();
  const double wanted = kRecovered * cost->events_before;
  if (wanted <= 0) return;
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    if (events[i] < wanted || events[i + 1] < wanted) continue;
    const int64_t first = (span.begin + kSecond_ns - 1) / kSecond_ns;  // the second events[0] is of
    const int64_t at = (first + static_cast<int64_t>(i)) * kSecond_ns;
    cost->recovered_s = i == 0 ? 0 : static_cast<double>(at - span.begin) / 1e9;
    return;
  }
}

}  // namespace

std::vector<ChaosCost> chaos_costs(const RunRecord& run) {
  int64_t first = run.ended_ns;
  for (const ChaosRecord& event : run.chaos) first = std::min(first, began(event));
  const Span before{run.steady_begin_ns, std::max(first, run.steady_begin_ns)};
  std::vector<ChaosCost> costs;
  for (const ChaosRecord& event : run.chaos) {
    const Span span = charged(run, event);
    ChaosCost& cost = costs.emplace_back();
    cost.action = event.action;
    cost.result = event.began_ns == kNoTime ? "never came" : event.result;
    cost.is_ok = event.is_ok;
    cost.at_s = static_cast<double>(span.begin) / 1e9;
    cost.until_s = static_cast<double>(span.end) / 1e9;
    for (const RequestRecord& request : run.requests) {
      cost.longest_gap_ms = std::max(cost.longest_gap_ms, longest_gap(run, request, span));
      if (!span.has(request.ended_ns)) continue;
      cost.ended.add(request);
      cost.retried += request.is_resent || request.attempts > 1 ? 1 : 0;
    }
    cost.ttft_p99_ms = ttft_p99(run, span);
    cost.ttft_p99_before_ms = ttft_p99(run, before);
    charge_tokens(run, before, span, &cost);
  }
  return costs;
}

}  // namespace weir
