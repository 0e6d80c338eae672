#include "bench/engine/load_run.h"

#include <algorithm>

#include "bench/engine/saturation.h"

namespace weir {
namespace {

constexpr Duration kUntilStart = std::chrono::milliseconds(20);  // threads are up by then
constexpr Duration kWatchEvery = std::chrono::milliseconds(250);
constexpr int64_t kSecond_ns = 1'000'000'000;

int64_t to_ns(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

LogBounds bounds_of(uint32_t workers) {
  LogBounds bounds;
  bounds.requests /= workers;
  bounds.gaps /= workers;
  return bounds;
}

void add(const LiveCounts& one, LiveCounts* sum) {
  sum->sent += one.sent;
  sum->ok += one.ok;
  sum->truncated += one.truncated;
  sum->failed += one.failed;
  sum->rejected += one.rejected;
  sum->output_tokens += one.output_tokens;
  sum->in_flight += one.in_flight;
  sum->most_in_flight += one.most_in_flight;
  sum->first_token.merge(one.first_token);
  sum->lag.merge(one.lag);
}

}  // namespace

LoadRun::LoadRun(EventLoop& loop, const RunPlan& plan, const ChaosOptions& chaos,
                 ProgressLine& progress)
    : loop_(loop),
      plan_(plan),
      epoch_(loop.refresh_now() + kUntilStart),
      progress_(progress),
      worker_ended_(loop, bind<&LoadRun::on_worker_ended>(this)),
      watch_(loop.timers(), bind<&LoadRun::on_watch>(this)),
      chaos_(loop, chaos, epoch_) {
  for (uint32_t i = 0; i < plan.load.workers; ++i) {
    workers_.push_back(std::make_unique<LoadWorker>(plan, i, epoch_, bounds_of(plan.load.workers)));
  }
}

LoadRun::~LoadRun() = default;

void LoadRun::run() {
  progress_.begin(plan_.load);
  next_second_ns_ = kSecond_ns;
  watch_.start(kWatchEvery);
  for (const auto& worker : workers_) worker->start(worker_ended_);
  while (is_running_) loop_.run_once();
  for (const auto& worker : workers_) worker->join();
  watch_.cancel();
  chaos_.end();
  progress_.end();
}

void LoadRun::stop() {
  was_interrupted_ = true;
  for (const auto& worker : workers_) worker->request_stop(true);
}

// Posts of several workers may come as one.
void LoadRun::on_worker_ended() {
  is_running_ = !std::ranges::all_of(workers_, &LoadWorker::has_ended);
}

LiveCounts LoadRun::live() const {
  LiveCounts sum;
  for (const auto& worker : workers_) add(worker->live(), &sum);
  return sum;
}

void LoadRun::on_watch() {
  if (!is_running_) return;
  watch_.start(kWatchEvery);
  const LiveCounts counts = live();
  progress_.show(counts, static_cast<double>(now_ns()) / 1e9);
  if (now_ns() < next_second_ns_) return;
  next_second_ns_ += kSecond_ns;
  watch_saturation(counts);
}

void LoadRun::watch_saturation(const LiveCounts& counts) {
  const bool is_open = plan_.load.kind == LoadRecord::Kind::open;
  const double end_s = plan_.load.duration_s;
  const bool is_in_time = end_s <= 0 || now_ns() < to_ns(end_s);
  if (!is_open || !is_in_time || is_saturated_) return;
  in_flight_seen_.push_back(counts.in_flight);
  ended_seen_.push_back(counts.ok + counts.truncated + counts.failed + counts.rejected);
  // Ramps are meant to grow.
  const auto is_flat = [](const RateStage& stage) { return stage.begin == stage.end; };
  const bool is_steady =
      plan_.load.arrivals.stages.size() == 1 && is_flat(plan_.load.arrivals.stages.front());
  is_saturated_ = is_steady && is_over_saturated(in_flight_seen_, ended_seen_);
  if (!is_saturated_ || !plan_.load.stops_when_saturated) return;
  for (const auto& worker : workers_) worker->request_stop(true);
}

RunRecord LoadRun::take_record() {
  RunRecord run;
  const Work& work = *plan_.work;
  run.model = work.options().model;
  run.endpoint = work.path();
  run.is_chat = work.options().is_chat;
  run.is_streamed = work.options().is_streamed;
  run.seed = plan_.load.seed;
  run.work = work.to_string();
  run.length_check = work.length_check();
  run.load = to_record(plan_.load);
  for (const BenchTarget& target : plan_.targets) {
    run.targets.push_back({target.role, target.name, target.url});
  }
  for (const auto& worker : workers_) {
    run.most_in_flight += worker->live().most_in_flight;
    run.not_started += worker->not_started();
    merge_log(worker->take_log(), &run);
  }
  sort_requests(&run);
  run.chaos = chaos_.records();
  run.was_interrupted = was_interrupted_;
  run.is_over_saturated = is_saturated_;
  if (was_interrupted_) run.ended_early = "interrupted";
  if (is_saturated_ && plan_.load.stops_when_saturated) {
    run.ended_early = "more came than the pool could take";
  }
  run.steady_begin_ns = to_ns(plan_.load.warm_up_s);
  run.steady_end_ns = steady_end(run);
  return run;
}

// When no further request was planned to begin.
int64_t LoadRun::steady_end(const RunRecord& run) const {
  int64_t end = 0;
  for (const RequestRecord& request : run.requests) end = std::max(end, request.planned_ns);
  if (plan_.load.duration_s > 0 && run.ended_early.empty()) end = to_ns(plan_.load.duration_s);
  return std::max(end, run.steady_begin_ns);
}

}  // namespace weir
