#include "bench/report/run_numbers.h"

#include <algorithm>

#include "bench/report/request_times.h"
#include "bench/report/run_parts.h"

namespace weir {
namespace {

void add_time(std::vector<double>* values, double ms) {
  if (ms >= 0) values->push_back(ms);
}

double duration_of(const RequestList& requests) {
  int64_t begin = kNoTime;
  int64_t end = kNoTime;
  for (const RequestRecord* request : requests) {
    if (request->planned_ns != kNoTime && (begin == kNoTime || request->planned_ns < begin)) {
      begin = request->planned_ns;
    }
    if (request->outcome != RequestOutcome::unfinished) end = std::max(end, request->ended_ns);
  }
  const double ms = ms_between(begin, end);
  return ms > 0 ? ms / 1000 : 0;
}

}  // namespace

void OutcomeCounts::add(const RequestRecord& request) {
  ++outcomes[static_cast<size_t>(request.outcome)];
  ++faults[static_cast<size_t>(request.fault)];
  ++total;
}

uint64_t OutcomeCounts::lost() const {
  return of(RequestOutcome::truncated) + of(RequestOutcome::failed) + of(RequestOutcome::rejected);
}

uint64_t OutcomeCounts::finished() const {
  return total - of(RequestOutcome::unfinished);
}

LatencyNumbers latency_of(const RunRecord& run, const RequestList& requests) {
  std::array<std::vector<double>, 9> values;
  auto& [ttft, ttft_send, content, byte, itl, tpot, e2el, e2el_send, delay] = values;
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request)) continue;
    add_time(&ttft, ttft_ms(*request));
    add_time(&ttft_send, ttft_from_send_ms(*request));
    add_time(&content, ms_between(request->sent_ns, request->first_content_ns));
    add_time(&byte, ms_between(request->sent_ns, request->first_byte_ns));
    add_time(&tpot, tpot_ms(*request));
    add_time(&e2el, e2el_ms(*request));
    add_time(&e2el_send, e2el_from_send_ms(*request));
    add_time(&delay, start_delay_ms(*request));
    for (const uint32_t gap : run.gaps_of(*request)) itl.push_back(gap_ms(gap));
  }
  return {Samples(std::move(ttft)), Samples(std::move(ttft_send)), Samples(std::move(content)),
          Samples(std::move(byte)), Samples(std::move(itl)),       Samples(std::move(tpot)),
          Samples(std::move(e2el)), Samples(std::move(e2el_send)), Samples(std::move(delay))};
}

RunNumbers numbers_of(const RunRecord& run, const std::vector<GoodputLimit>& limits) {
  RunNumbers numbers;
  RequestList measured;
  for (const RequestRecord& request : run.requests) {
    if (request.is_warm_up) {
      ++numbers.warm_up;
      continue;
    }
    measured.push_back(&request);
    numbers.counts.add(request);
    numbers.resent += request.is_resent ? 1 : 0;
    numbers.retried += request.attempts > 1 ? 1 : 0;
  }
  numbers.duration_s = duration_of(measured);
  numbers.most_open = most_open_of(measured);
  numbers.best_second_events = best_second_of(run, measured);
  numbers.window = window_of(run);
  numbers.throughput = throughput_of(run, numbers.window);
  numbers.tokens = tokens_of(measured);
  numbers.latency = latency_of(run, measured);
  if (!limits.empty()) numbers.goodput = goodput_of(run, numbers.window, limits);
  numbers.backends = backends_of(run, measured);
  numbers.imbalance = imbalance_of(numbers.backends);
  if (run.targets.size() > 1) numbers.targets = targets_of(run, measured);
  numbers.seconds = seconds_of(run, measured);
  numbers.tester = tester_of(run);
  return numbers;
}

}  // namespace weir
