#include "bench/engine/load_worker.h"

#include <time.h>

#include <algorithm>

namespace weir {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;
constexpr Duration kTick = std::chrono::milliseconds(10);
constexpr int64_t kSecond_ns = 1'000'000'000;

int64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * kSecond_ns + time.tv_nsec;
}

int64_t to_ns(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

}  // namespace

LoadWorker::LoadWorker(const RunPlan& plan, uint32_t index, TimePoint epoch,
                       const LogBounds& bounds)
    : plan_(plan),
      index_(index),
      epoch_(epoch),
      steady_begin_ns_(to_ns(plan.load.warm_up_s)),
      stamps_(plan.load.kernel_times ? keep_stamps_on() : UniqueFd()),
      buffer_(kBuffer),
      connections_(loop_, plan),
      starts_(plan.load, plan.work->options(), index),
      log_(bounds),
      start_timer_(loop_, bind<&LoadWorker::pump>(this)),
      tick_timer_(loop_, bind<&LoadWorker::on_tick>(this)),
      stop_task_(loop_, bind<&LoadWorker::on_stop>(this)),
      most_in_flight_allowed_(std::max(1U, plan.load.max_in_flight / plan.load.workers)) {}

LoadWorker::~LoadWorker() {
  join();
}

void LoadWorker::start(Task& on_ended) {
  on_ended_ = &on_ended;
  thread_ = std::thread([this] { run(); });
}

void LoadWorker::join() {
  if (thread_.joinable()) thread_.join();
}

void LoadWorker::request_stop(bool at_once) {
  if (at_once) stop_at_once_ = true;
  stop_task_.post();
}

LiveCounts LoadWorker::live() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void LoadWorker::publish() {
  counts_.in_flight = static_cast<uint32_t>(in_flight_.size());
  const std::lock_guard lock(mutex_);
  published_ = counts_;
}

void LoadWorker::run() {
  loop_.refresh_now();
  second_cpu_ns_ = thread_cpu_ns();
  tick_due_ = epoch_ + kTick;
  tick_timer_.start_at(tick_due_);
  start_timer_.start_at(epoch_);
  loop_.run();
  log_.self.wall_ns = now_ns();
  log_.self.cpu_ns = thread_cpu_ns();
  publish();
  has_ended_ = true;
  on_ended_->post();
}

int64_t LoadWorker::stamp_to_run(int64_t wall_ns) const {
  return clock_.to_steady(wall_ns) - std::chrono::nanoseconds(epoch_.time_since_epoch()).count();
}

uint16_t LoadWorker::target_of(const std::string& backend) const {
  const auto is_it = [&backend](const BenchTarget& target) {
    return target.role == TargetRecord::Role::direct && target.name == backend;
  };
  return static_cast<uint16_t>(std::ranges::find_if(plan_.targets, is_it) - plan_.targets.begin());
}

void LoadWorker::note_read(int64_t lag_ns) {
  log_.read(lag_ns);
  if (lag_ns < 0) return;
  counts_.lag.add(lag_ns);
  TimelineSecond& now = log_.second(now_ns());
  now.max_lag_ns = std::max(now.max_lag_ns, lag_ns);
}

void LoadWorker::note_tokens(const RequestRecord& record, uint32_t tokens_before,
                             uint32_t coalesced, int64_t at_ns) {
  log_.tokens(record, tokens_before, coalesced, at_ns);
  counts_.output_tokens += record.token_events - tokens_before;
  if (tokens_before == 0 && record.token_events > 0) {
    counts_.first_token.add(record.first_token_ns - record.planned_ns);
  }
}

// Starts what is due; called by the timer, and whenever a place may have become free.
void LoadWorker::pump() {
  if (is_pumping_ || is_ended_) return;
  is_pumping_ = true;
  loop_.refresh_now();
  start_due(now_ns());
  is_pumping_ = false;
  end_if_over();
  if (is_ended_ || is_held_back_) return;
  std::optional<int64_t> next = starts_.next_start();
  if (!pending_.empty())
    next = std::min(next.value_or(pending_.front().at_ns), pending_.front().at_ns);
  if (next) start_timer_.start_at(epoch_ + std::chrono::nanoseconds(*next));
}

void LoadWorker::start_due(int64_t now) {
  const bool was_held_back = is_held_back_;
  while (true) {
    is_held_back_ = in_flight_.size() >= most_in_flight_allowed_;
    if (is_held_back_) return;
    if (start_pending(now)) continue;
    const std::optional<int64_t> next = starts_.next_start();
    if (!next || *next > now) return;
    const StartPlan::Start start = starts_.take();
    // How late we are says nothing of us when a bound made the request wait.
    loop_.refresh_now();
    if (!was_held_back) {
      log_.self.start_lag.add(now_ns() - start.planned_ns);
      counts_.lag.add(now_ns() - start.planned_ns);
    }
    begin(plan_.work->plan(start.session, 0), start.planned_ns, {});
  }
}

bool LoadWorker::start_pending(int64_t now) {
  if (pending_.empty() || pending_.front().at_ns > now) return false;
  const auto later = [](const PendingTurn& a, const PendingTurn& b) { return a.at_ns > b.at_ns; };
  std::ranges::pop_heap(pending_, later);
  PendingTurn turn = std::move(pending_.back());
  pending_.pop_back();
  begin(turn.work, turn.at_ns, std::move(turn.history));
  return true;
}

void LoadWorker::begin(const PlannedWork& work, int64_t planned_ns, std::string history) {
  std::unique_ptr<RequestRun> run;
  if (spare_.empty()) {
    run = std::make_unique<RequestRun>(*this);
  } else {
    run = std::move(spare_.back());
    spare_.pop_back();
  }
  RequestRun& started = *run;
  started.position = in_flight_.size();
  in_flight_.push_back(std::move(run));
  ++counts_.sent;
  counts_.most_in_flight =
      std::max(counts_.most_in_flight, static_cast<uint32_t>(in_flight_.size()));
  log_.sent(planned_ns, now_ns());
  started.start(work, planned_ns, std::move(history));
}

void LoadWorker::finish_record(RequestRun& run) {
  RequestRecord& record = run.record();
  const AnswerTexts& texts = run.answer().texts();
  const bool is_direct =
      plan_.targets[record.target].role == TargetRecord::Role::direct || texts.backend.empty();
  if (record.status != 0) {
    record.backend =
        log_.backend_index(is_direct ? plan_.targets[record.target].name : texts.backend);
  }
  record.finish_reason = log_.text_index(texts.finish_reason);
  if (record.outcome != RequestOutcome::ok && !texts.error.empty()) {
    record.error = log_.text_index(texts.error);
  }
  if (record.outcome == RequestOutcome::ok) ++counts_.ok;
  if (record.outcome == RequestOutcome::truncated) ++counts_.truncated;
  if (record.outcome == RequestOutcome::failed) ++counts_.failed;
  if (record.outcome == RequestOutcome::rejected) ++counts_.rejected;
  log_.ended(record, run.answer().gaps());
}

void LoadWorker::request_ended(RequestRun& run) {
  finish_record(run);
  const bool is_ok = run.record().outcome == RequestOutcome::ok;
  const size_t place = run.position;
  std::unique_ptr<RequestRun> mine = std::move(in_flight_[place]);
  if (place + 1 != in_flight_.size()) {
    in_flight_[place] = std::move(in_flight_.back());
    in_flight_[place]->position = place;
  }
  in_flight_.pop_back();
  next_turn_or_end(run, is_ok);
  spare_.push_back(std::move(mine));
  pump();
}

// A conversation goes on only after a whole answer.
void LoadWorker::next_turn_or_end(RequestRun& run, bool is_ok) {
  const PlannedWork& work = run.plan();
  const bool is_last = work.turn + 1 >= plan_.work->options().turns;
  const int64_t now = now_ns();
  const bool is_late = plan_.load.duration_s > 0 && now >= to_ns(plan_.load.duration_s);
  if (!is_ok || is_last || is_stopping_ || is_late) {
    starts_.session_ended(now, !is_ok);
    return;
  }
  std::string history = run.take_history();
  Work::add_answer(run.answer().texts().text, &history);
  pending_.push_back({now + starts_.think_ns(), plan_.work->plan(work.session, work.turn + 1),
                      std::move(history)});
  const auto later = [](const PendingTurn& a, const PendingTurn& b) { return a.at_ns > b.at_ns; };
  std::ranges::push_heap(pending_, later);
}

void LoadWorker::on_tick() {
  if (is_ended_) return;
  loop_.refresh_now();
  const int64_t now = now_ns();
  const int64_t lag = (loop_.now() - tick_due_).count();
  log_.self.loop_lag.add(lag);
  counts_.lag.add(lag);
  TimelineSecond& second = log_.second(now);
  second.max_lag_ns = std::max(second.max_lag_ns, lag);
  second.in_flight = static_cast<uint32_t>(in_flight_.size());
  if (now - second_begin_ns_ >= kSecond_ns) on_second(now);
  publish();
  const double end_s = plan_.load.duration_s;
  if (end_s > 0 && now >= to_ns(end_s + plan_.load.grace_s)) {
    stop_starting();
    give_up_all(RequestOutcome::unfinished, RequestFault::none);
  }
  end_if_over();
  if (is_ended_) return;
  tick_due_ = std::max(tick_due_ + kTick, loop_.now());
  tick_timer_.start_at(tick_due_);
}

void LoadWorker::on_second(int64_t now) {
  const int64_t cpu = thread_cpu_ns();
  const double busy =
      static_cast<double>(cpu - second_cpu_ns_) / static_cast<double>(now - second_begin_ns_);
  log_.self.busy_most = std::max(log_.self.busy_most, busy);
  second_cpu_ns_ = cpu;
  second_begin_ns_ = now;
  clock_.synchronise();
  connections_.close_old();
  const int64_t limit = plan_.load.request_timeout.count();
  for (size_t i = in_flight_.size(); i > 0; --i) {
    if (i > in_flight_.size()) continue;
    RequestRun& run = *in_flight_[i - 1];
    if (now - run.record().sent_ns < limit) continue;
    const bool has_text = run.record().token_events > 0;
    run.give_up(has_text ? RequestOutcome::truncated : RequestOutcome::failed,
                RequestFault::timeout);
  }
}

// No further start. What was due and held back is counted; what was not due was never promised.
void LoadWorker::stop_starting() {
  is_stopping_ = true;
  while (true) {
    const std::optional<int64_t> next = starts_.next_start();
    if (!next || *next > now_ns()) break;
    starts_.take();
    ++not_started_;
  }
  starts_.stop();
  pending_.clear();
}

void LoadWorker::on_stop() {
  stop_starting();
  if (stop_at_once_) give_up_all(RequestOutcome::unfinished, RequestFault::none);
  end_if_over();
}

void LoadWorker::give_up_all(RequestOutcome outcome, RequestFault fault) {
  while (!in_flight_.empty()) in_flight_.back()->give_up(outcome, fault);
}

void LoadWorker::end_if_over() {
  if (is_ended_ || is_pumping_ || !in_flight_.empty() || !pending_.empty()) return;
  if (!starts_.is_over()) return;
  is_ended_ = true;
  start_timer_.cancel();
  tick_timer_.cancel();
  loop_.stop();
}

}  // namespace weir
