// By backend, by target, by second; and the tester itself.
#include <algorithm>

#include "bench/report/request_times.h"
#include "bench/report/run_parts.h"
#include "bench/report/text.h"

namespace weir {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;
constexpr double kSlowRatio = 1.15;
constexpr size_t kFewest = 20;  // requests, below which no backend is called slow

double middle_tpot(const std::vector<BackendNumbers>& backends, size_t without) {
  std::vector<double> values;
  for (size_t i = 0; i < backends.size(); ++i) {
    const Samples& tpot = backends[i].latency.tpot;
    if (i != without && tpot.count() >= kFewest) values.push_back(tpot.median());
  }
  return Samples(std::move(values)).median();
}

void remark_on(std::vector<BackendNumbers>* backends) {
  for (size_t i = 0; i < backends->size(); ++i) {
    BackendNumbers& backend = (*backends)[i];
    const Samples& tpot = backend.latency.tpot;
    const double others = middle_tpot(*backends, i);
    if (tpot.count() < kFewest || others <= 0) continue;
    const double ratio = tpot.median() / others;
    if (ratio > kSlowRatio) backend.remark = "slow: TPOT " + change_text(ratio - 1);
  }
}

uint32_t most_in_flight(const RequestList& requests) {
  std::vector<std::pair<int64_t, int>> changes;
  for (const RequestRecord* request : requests) {
    if (request->sent_ns == kNoTime || request->ended_ns == kNoTime) continue;
    changes.emplace_back(request->sent_ns, +1);
    changes.emplace_back(request->ended_ns, -1);
  }
  std::ranges::sort(changes);
  int64_t open = 0;
  int64_t most = 0;
  for (const auto& [at, change] : changes) most = std::max(most, open += change);
  return static_cast<uint32_t>(most);
}

OutcomeCounts counts_of(const RequestList& requests) {
  OutcomeCounts counts;
  for (const RequestRecord* request : requests) counts.add(*request);
  return counts;
}

}  // namespace

std::vector<BackendNumbers> backends_of(const RunRecord& run, const RequestList& requests) {
  std::vector<RequestList> groups(run.backends.size() + 1);
  for (const RequestRecord* request : requests) {
    const size_t group = std::min<size_t>(request->backend, run.backends.size());
    groups[group].push_back(request);
  }
  std::vector<BackendNumbers> backends;
  for (size_t i = 0; i < groups.size(); ++i) {
    const bool is_named = i < run.backends.size();
    // A run whose answers name no backend has no such table.
    if (groups[i].empty() || (!is_named && backends.empty())) continue;
    BackendNumbers& backend = backends.emplace_back();
    backend.name = is_named ? run.backends[i] : "(none named)";
    backend.counts = counts_of(groups[i]);
    backend.latency = latency_of(run, groups[i]);
    backend.tokens = tokens_of(groups[i]);
    backend.share = static_cast<double>(groups[i].size()) / static_cast<double>(requests.size());
    backend.most_in_flight = most_in_flight(groups[i]);
  }
  remark_on(&backends);
  return backends;
}

ImbalanceNumbers imbalance_of(const std::vector<BackendNumbers>& backends) {
  double sum = 0;
  double squares = 0;
  double most = 0;
  double count = 0;
  for (const BackendNumbers& backend : backends) {
    if (backend.counts.ok() == 0) continue;
    const double work = static_cast<double>(backend.tokens.output);
    sum += work;
    squares += work * work;
    most = std::max(most, work);
    ++count;
  }
  if (count == 0 || sum == 0) return {};
  return {most / (sum / count), sum * sum / (count * squares)};
}

std::vector<TargetNumbers> targets_of(const RunRecord& run, const RequestList& requests) {
  std::vector<TargetNumbers> targets;
  for (size_t i = 0; i < run.targets.size(); ++i) {
    RequestList own;
    for (const RequestRecord* request : requests) {
      if (request->target == i) own.push_back(request);
    }
    targets.push_back({run.targets[i], counts_of(own), latency_of(run, own)});
  }
  return targets;
}

std::vector<SecondNumbers> seconds_of(const RunRecord& run, const RequestList& requests) {
  std::vector<std::vector<double>> ttfts(run.timeline.size());
  std::vector<std::vector<double>> gaps(run.timeline.size());
  const auto put = [](std::vector<std::vector<double>>* seconds, int64_t at, double ms) {
    const int64_t second = at / kSecond_ns;
    if (at < 0 || ms < 0 || second >= static_cast<int64_t>(seconds->size())) return;
    (*seconds)[static_cast<size_t>(second)].push_back(ms);
  };
  for (const RequestRecord* request : requests) {
    if (!is_ok(*request)) continue;
    put(&ttfts, request->planned_ns, ttft_ms(*request));
    int64_t at = request->first_token_ns;
    for (const uint32_t gap : run.gaps_of(*request)) {
      at += int64_t{gap} * kGapTick_ns;
      put(&gaps, at, gap_ms(gap));
    }
  }
  std::vector<SecondNumbers> seconds(run.timeline.size());
  for (size_t i = 0; i < seconds.size(); ++i) {
    const Samples ttft(std::move(ttfts[i]));
    const Samples gap(std::move(gaps[i]));
    if (!ttft.is_empty()) seconds[i].ttft_p50 = ttft.median();
    if (!ttft.is_empty()) seconds[i].ttft_p99 = ttft.percentile(99);
    if (!gap.is_empty()) seconds[i].itl_p99 = gap.percentile(99);
  }
  return seconds;
}

TesterNumbers tester_of(const RunRecord& run) {
  TesterNumbers tester;
  tester.threads = run.workers.size();
  int64_t cpu_ns = 0;
  uint64_t events = 0;
  uint64_t coalesced = 0;
  for (const WorkerRecord& worker : run.workers) {
    tester.loop_lag.merge(worker.loop_lag);
    tester.read_lag.merge(worker.read_lag);
    tester.start_lag.merge(worker.start_lag);
    const double busy = worker.wall_ns <= 0 ? 0
                                            : static_cast<double>(worker.cpu_ns) /
                                                  static_cast<double>(worker.wall_ns);
    tester.busy = std::max(tester.busy, busy);
    tester.busy_most = std::max(tester.busy_most, worker.busy_most);
    cpu_ns += worker.cpu_ns;
    events += worker.events;
    coalesced += worker.coalesced;
  }
  if (events == 0) return tester;
  tester.cpu_us_per_event = static_cast<double>(cpu_ns) / 1000 / static_cast<double>(events);
  tester.coalesced_share = static_cast<double>(coalesced) / static_cast<double>(events);
  return tester;
}

}  // namespace weir
