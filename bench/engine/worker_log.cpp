#include "bench/engine/worker_log.h"

#include <algorithm>

namespace weir {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;

void add(const TimelineSecond& from, TimelineSecond* to) {
  to->planned += from.planned;
  to->sent += from.sent;
  to->ok += from.ok;
  to->truncated += from.truncated;
  to->failed += from.failed;
  to->rejected += from.rejected;
  to->first_tokens += from.first_tokens;
  to->token_events += from.token_events;
  to->output_tokens += from.output_tokens;
  to->in_flight += from.in_flight;
  to->bytes_in += from.bytes_in;
  to->max_lag_ns = std::max(to->max_lag_ns, from.max_lag_ns);
}

uint16_t place_in(const std::string& name, std::vector<std::string>* names) {
  const auto found = std::ranges::find(*names, name);
  const auto place = static_cast<uint16_t>(found - names->begin());
  if (found == names->end()) names->push_back(name);
  return place;
}

std::vector<uint16_t> places_in(const std::vector<std::string>& from,
                                std::vector<std::string>* names) {
  std::vector<uint16_t> places;
  places.reserve(from.size());
  for (const std::string& name : from) places.push_back(place_in(name, names));
  return places;
}

void count_outcome(RequestOutcome outcome, TimelineSecond* second) {
  if (outcome == RequestOutcome::ok) ++second->ok;
  if (outcome == RequestOutcome::truncated) ++second->truncated;
  if (outcome == RequestOutcome::failed) ++second->failed;
  if (outcome == RequestOutcome::rejected) ++second->rejected;
}

}  // namespace

TimelineSecond& WorkerLog::second(int64_t at_ns) {
  const auto wanted = static_cast<size_t>(std::max<int64_t>(0, at_ns) / kSecond_ns);
  const size_t index = std::min(wanted, bounds_.seconds - 1);
  if (index >= timeline.size()) timeline.resize(index + 1);
  return timeline[index];
}

uint16_t WorkerLog::index_of(std::string_view text, std::vector<std::string>* names,
                             std::unordered_map<std::string, uint16_t>* known) {
  std::string key(text);
  if (const auto found = known->find(key); found != known->end()) return found->second;
  if (known->size() >= bounds_.names) key = "(others)";
  const auto [entry, is_new] = known->emplace(key, static_cast<uint16_t>(names->size()));
  if (is_new) names->push_back(key);
  return entry->second;
}

uint16_t WorkerLog::text_index(std::string_view text) {
  return index_of(text, &texts, &known_texts_);
}

uint16_t WorkerLog::backend_index(std::string_view name) {
  return index_of(name, &backends, &known_backends_);
}

void WorkerLog::sent(int64_t planned_ns, int64_t at_ns) {
  ++second(planned_ns).planned;
  ++second(at_ns).sent;
}

void WorkerLog::tokens(const RequestRecord& record, uint32_t tokens_before, uint32_t coalesced,
                       int64_t at_ns) {
  const uint32_t count = record.token_events - tokens_before;
  if (count == 0) return;
  self.events += count;
  self.coalesced += coalesced;
  TimelineSecond& now = second(at_ns);
  now.token_events += count;
  if (tokens_before == 0) ++now.first_tokens;
}

void WorkerLog::read(int64_t lag_ns) {
  ++self.reads;
  if (lag_ns >= 0) self.read_lag.add(lag_ns);
}

void WorkerLog::ended(RequestRecord record, const std::vector<uint32_t>& request_gaps) {
  TimelineSecond& now = second(record.ended_ns);
  count_outcome(record.outcome, &now);
  now.output_tokens += static_cast<uint64_t>(std::max(0, record.output_tokens));
  if (requests.size() >= bounds_.requests || gaps.size() + request_gaps.size() > bounds_.gaps) {
    ++not_kept;
    return;
  }
  record.gap_begin = gaps.size();
  record.gap_count = static_cast<uint32_t>(request_gaps.size());
  gaps.insert(gaps.end(), request_gaps.begin(), request_gaps.end());
  requests.push_back(record);
}

void merge_log(WorkerLog&& log, RunRecord* run) {
  const std::vector<uint16_t> texts = places_in(log.texts, &run->texts);
  const std::vector<uint16_t> backends = places_in(log.backends, &run->backends);
  const uint64_t first_gap = run->gaps.size();
  for (RequestRecord& request : log.requests) {
    request.gap_begin += first_gap;
    request.finish_reason = texts[request.finish_reason];
    request.error = texts[request.error];
    if (request.backend != kNoBackend) request.backend = backends[request.backend];
    run->has_kernel_times = run->has_kernel_times || request.has_kernel_times;
    run->ended_ns = std::max(run->ended_ns, request.ended_ns);
    run->requests.push_back(request);
  }
  if (run->gaps.empty()) {
    run->gaps = std::move(log.gaps);
  } else {
    run->gaps.insert(run->gaps.end(), log.gaps.begin(), log.gaps.end());
  }
  if (log.timeline.size() > run->timeline.size()) run->timeline.resize(log.timeline.size());
  for (size_t i = 0; i < log.timeline.size(); ++i) add(log.timeline[i], &run->timeline[i]);
  run->workers.push_back(log.self);
  run->not_kept += log.not_kept;
}

void sort_requests(RunRecord* run) {
  std::ranges::sort(run->requests, {}, &RequestRecord::index);
}

}  // namespace weir
