#include "discovery/replica.h"

#include <algorithm>

#include <fmt/core.h>

#include "weir/assert.h"
#include "weir/log.h"

namespace weir {
namespace {

std::string log_path(const PlannedReplica& plan, const ReplicaOptions& options) {
  if (options.log_dir.empty()) return {};
  return fmt::format("{}/{}.r{}.{}.log", options.log_dir, options.log_prefix, plan.index,
                     plan.node.substr(0, plan.node.find('.')));
}

std::string seconds_text(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return fmt::format("{:.3g} s", static_cast<double>(seconds) / 1000);
}

}  // namespace

std::string_view to_string(ReplicaState state) noexcept {
  switch (state) {
    case ReplicaState::waiting:
      return "waiting";
    case ReplicaState::starting:
      return "starting";
    case ReplicaState::loading:
      return "loading";
    case ReplicaState::ready:
      return "ready";
    case ReplicaState::stopping:
      return "stopping";
    case ReplicaState::stopped:
      return "stopped";
    case ReplicaState::failed:
      return "failed";
  }
  return "?";
}

Replica::Replica(TimerQueue& timers, ReplicaStarter& starter, ReplicaOwner& owner,
                 PlannedReplica plan, const ReplicaOptions& options)
    : starter_(starter),
      owner_(owner),
      plan_(std::move(plan)),
      options_(options),
      timers_(timers),
      log_(log_path(plan_, options)),
      timer_(timers, bind<&Replica::on_due>(this)) {
  status_.id = plan_.id;
  status_.node = plan_.node;
  status_.index = plan_.index;
  status_.since = timers.now();
  status_.log_path = log_.path();
}

bool Replica::has_address() const {
  return status_.state == ReplicaState::loading || status_.state == ReplicaState::ready;
}

bool Replica::may_still_come() const {
  return status_.state == ReplicaState::waiting || status_.state == ReplicaState::starting;
}

bool Replica::is_over() const {
  return !is_running() &&
         (status_.state == ReplicaState::stopped || status_.state == ReplicaState::failed);
}

void Replica::start() {
  WEIR_ASSERT(status_.state == ReplicaState::waiting && !is_running());
  if (!wants_stop_) launch();
}

void Replica::stop() {
  if (wants_stop_) return;
  wants_stop_ = true;
  timer_.cancel();
  if (!is_running()) {
    if (status_.state != ReplicaState::failed) become(ReplicaState::stopped, "stopped");
    return;
  }
  process_->stop();
  if (status_.state != ReplicaState::stopping) become(ReplicaState::stopping, "stopping");
}

void Replica::launch() {
  was_ready_ = false;
  timed_out_ = false;
  status_.started = timers_.now();
  status_.host.clear();
  status_.port = 0;
  status_.gpus.clear();
  status_.step.clear();
  log_.begin(
      fmt::format("weir: start {} of replica {}", status_.restarts + clashes_ + 1, plan_.id));
  auto started = starter_.start(plan_, *this);
  if (!started) {
    return retry_or_give_up({ReplicaEndKind::not_started, 0, started.error().what});
  }
  process_ = std::move(*started);
  timer_.start(options_.start_timeout);
  become(ReplicaState::starting, "its process is being started");
}

// The back-off is over, or the start took too long.
void Replica::on_due() {
  if (!is_running()) return launch();
  timed_out_ = true;
  process_->stop();
  become(ReplicaState::stopping,
         fmt::format("not ready after {}", seconds_text(options_.start_timeout)));
}

void Replica::on_replica_report(const ReplicaReport& report) {
  if (status_.state != ReplicaState::starting) return;
  // A node name need not resolve, so an address is preferred; Slurm knows one where the wrapper
  // does not.
  status_.host = !report.address.empty()       ? report.address
                 : !plan_.node_address.empty() ? plan_.node_address
                                               : report.host;
  status_.port = report.port;
  status_.gpus = report.gpus;
  status_.step = report.step;
  become(ReplicaState::loading, "not ready yet");
}

void Replica::on_replica_output(std::string_view line) {
  log_.add(line);
}

void Replica::on_replica_terminated() {
  owner_.on_replica_terminated(*this);
}

void Replica::on_ready() {
  if (status_.state != ReplicaState::loading && status_.state != ReplicaState::ready) return;
  if (status_.state == ReplicaState::ready && status_.reason.empty()) return;
  timer_.cancel();
  was_ready_ = true;
  become(ReplicaState::ready, "");
}

// Its process still runs: whether it comes back is the prober's affair, and it keeps its place.
void Replica::on_down(std::string_view reason) {
  if (status_.state != ReplicaState::ready || status_.reason == reason) return;
  status_.reason = reason;
  owner_.on_replica_changed(*this);
}

void Replica::on_replica_end(const ReplicaEnd& end) {
  process_.reset();
  timer_.cancel();
  if (wants_stop_) return become(ReplicaState::stopped, end.reason);
  if (end.kind == ReplicaEndKind::job_over) owner_.on_replica_job_over(*this);
  if (wants_stop_) return;  // the owner stopped all of us
  retry_or_give_up(end);
}

bool Replica::looks_like_port_clash() const {
  return log_.contains("address already in use") || log_.contains("eaddrinuse");
}

uint32_t Replica::allowed_restarts() const {
  // Nothing has ever come up in this run: most likely nothing ever will, and people want to know
  // why at once.
  return owner_.has_any_been_ready() ? options_.restarts
                                     : std::min(options_.restarts, options_.early_restarts);
}

void Replica::retry_or_give_up(const ReplicaEnd& end) {
  status_.last_lines = log_.last_lines();
  std::string why = timed_out_
                        ? fmt::format("not ready after {}", seconds_text(options_.start_timeout))
                        : end.reason;
  const bool is_clash = !owner_.is_job_ending() && !was_ready_ && !timed_out_ &&
                        end.kind == ReplicaEndKind::exited && clashes_ < options_.port_clashes &&
                        looks_like_port_clash();
  if (is_clash) {
    ++clashes_;
    return wait(Duration::zero(), why + "; its port was taken, trying another");
  }
  const bool is_hopeless = owner_.is_job_ending() || end.kind == ReplicaEndKind::node_failed ||
                           end.kind == ReplicaEndKind::job_over ||
                           (!was_ready_ && (end.code == 126 || end.code == 127));
  if (was_ready_ && timers_.now() - status_.since >= options_.forgive_after) spent_restarts_ = 0;
  if (is_hopeless || spent_restarts_ >= allowed_restarts()) {
    if (spent_restarts_ > 0) {
      why += fmt::format(", after {} restart{}", spent_restarts_, spent_restarts_ == 1 ? "" : "s");
    }
    return become(ReplicaState::failed, std::move(why));
  }
  const Duration backoff = std::min(options_.longest_backoff,
                                    options_.first_backoff * (1 << std::min(spent_restarts_, 10U)));
  ++spent_restarts_;
  ++status_.restarts;
  wait(backoff, fmt::format("{}; restart {} of {} in {}", why, spent_restarts_, allowed_restarts(),
                            seconds_text(backoff)));
}

void Replica::wait(Duration backoff, std::string reason) {
  timer_.start(backoff);
  become(ReplicaState::waiting, std::move(reason));
}

// The last thing its callers do.
void Replica::become(ReplicaState next, std::string reason) {
  if (status_.state != next) status_.since = timers_.now();
  status_.state = next;
  status_.reason = std::move(reason);
  if (is_logged(LogLevel::debug)) {
    log_debug(fmt::format("replica {}: {} {}", plan_.id, to_string(next), status_.reason));
  }
  owner_.on_replica_changed(*this);
}

}  // namespace weir
