#include "discovery/replica_child.h"

#include <signal.h>

#include <array>

#include <fmt/core.h>

#include "weir/log.h"

#include "discovery/replica_report.h"

namespace weir {
namespace {

constexpr Duration kBeyondGrace = std::chrono::seconds(3);
constexpr Duration kBetweenForces = std::chrono::seconds(5);
constexpr Duration kScancel = std::chrono::seconds(1);

bool contains_any(std::string_view line, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (line.find(text) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

ReplicaChild::ReplicaChild(EventLoop& loop, ReplicaProcessUser& user, ReplicaChildOptions options)
    : user_(user),
      options_(std::move(options)),
      lines_(bind<&ReplicaChild::on_line>(this)),
      timer_(loop.timers(), bind<&ReplicaChild::on_due>(this)),
      scancel_(loop, ignored_),
      process_(loop, *this) {}

Result<Ok, Problem> ReplicaChild::start(const SubprocessOptions& options) {
  return process_.start(options);
}

void ReplicaChild::stop() {
  if (force_ != Force::none) return;
  force_ = Force::lifeline;
  process_.close_input();
  // An srun whose step has not begun does not look at its standard input.
  timer_.start(has_report_ ? options_.grace + kBeyondGrace : kBeyondGrace);
}

void ReplicaChild::on_due() {
  if (ended_) return user_.on_replica_end(judge(*ended_));  // destroys us
  if (force_ == Force::lifeline) {
    force_ = Force::terminated;
    process_.signal(SIGTERM);
  } else if (force_ == Force::terminated) {
    force_ = Force::cancelled;
    cancel_step();
  } else {
    // Only srun itself, not its group: its shepherd child then still takes the step down.
    force_ = Force::killed;
    process_.signal(SIGKILL);
  }
  timer_.start(kBetweenForces);
}

void ReplicaChild::cancel_step() {
  if (!options_.is_srun || step_.empty()) return;
  SubprocessOptions scancel;
  scancel.argv = {"scancel", "-s", "KILL", step_};
  scancel.environment = options_.environment;
  const auto started = scancel_.start(scancel);
  if (!started) log_warning(started.error().what);
}

void ReplicaChild::on_output(std::string_view bytes) {
  lines_.add(bytes);
}

void ReplicaChild::on_line(std::string_view line) {
  if (!has_report_) {
    if (const auto report = parse_report(line)) {
      has_report_ = true;
      step_ = report->step;
      user_.on_replica_report(*report);
      return;
    }
  }
  if (line == kTerminatedLine) {
    if (force_ == Force::none) user_.on_replica_terminated();
    return;
  }
  if (const auto code = parse_end(line)) {
    code_ = code;
    return;
  }
  if (const auto problem = parse_problem(line)) problem_ = *problem;
  if (options_.is_srun) note_srun_message(line);
  user_.on_replica_output(line);
}

// The server could print such lines too; they only colour the reason once the process has ended.
void ReplicaChild::note_srun_message(std::string_view line) {
  if (!line.starts_with("srun: ") && !line.starts_with("slurmstepd: ")) return;
  if (contains_any(line, {"Node failure on"})) has_node_failed_ = true;
  // Without a controller srun suspects the job, too ("Expired or invalid job 7"): it may live on.
  if (contains_any(line, {"Unable to contact slurm controller"})) is_controller_away_ = true;
  if (contains_any(line, {"has been revoked", "has expired", "Job/step already completing",
                          "Invalid job id", "DUE TO TIME LIMIT", "DUE TO PREEMPTION",
                          "DUE TO NODE FAILURE", "DUE TO JOB REQUEUE"})) {
    is_job_over_ = true;
  }
  if (line.starts_with("srun: error: ")) srun_error_ = line.substr(13, 300);
}

void ReplicaChild::on_exit(ExitStatus status) {
  lines_.finish();
  timer_.cancel();
  if (!may_be_orphaned()) return user_.on_replica_end(judge(status));  // destroys us
  ended_ = status;
  cancel_step();
  timer_.start(kScancel);
}

// srun and its shepherd were killed: the server goes on, nobody holds its lifeline any more, and a
// new one would find its GPUs taken.
bool ReplicaChild::may_be_orphaned() const {
  return options_.is_srun && has_report_ && !code_ && !has_node_failed_ && !is_job_over_;
}

ReplicaEnd ReplicaChild::judge(ExitStatus status) const {
  const int code = code_.value_or(status.code);
  if (force_ != Force::none) return {ReplicaEndKind::stopped, code, "stopped"};
  if (is_job_over_ && !is_controller_away_) {
    return {ReplicaEndKind::job_over, code, "the job is over: " + srun_error_};
  }
  if (has_node_failed_) {
    return {ReplicaEndKind::node_failed, code, fmt::format("node {} failed", options_.node)};
  }
  if (code_) return {ReplicaEndKind::exited, code, describe_exit_code(code)};
  if (!problem_.empty()) return {ReplicaEndKind::not_started, code, problem_};
  const std::string how = srun_error_.empty() ? describe_exit_code(code) : srun_error_;
  const std::string_view who = options_.is_srun ? "srun" : "the wrapper";
  if (!has_report_) {
    return {ReplicaEndKind::not_started, code, fmt::format("{} could not start it: {}", who, how)};
  }
  // srun says 0 when the node of its step is lost: without the wrapper's last line no end is a
  // clean one.
  return {ReplicaEndKind::exited, code == 0 ? 255 : code,
          fmt::format("{} ended without the server's exit code: {}", who, how)};
}

}  // namespace weir
