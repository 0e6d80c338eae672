#include "lb/launch/launch_session.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <chrono>

#include <fmt/core.h>

#include "weir/log.h"

#include "discovery/replica_environment.h"
#include "lb/launch/command_template.h"
#include "lb/net/peer_uid.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongestEnd = 60s + 20s;  // of all replicas: grace, srun's slowness, the sweep
constexpr Duration kDoubleInterrupt = 3s;

int64_t unix_now() {
  using std::chrono::system_clock;
  return system_clock::to_time_t(system_clock::now());
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

std::string describe(ExitStatus status) {
  if (status.signal != 0)
    return fmt::format("COMMAND was killed by {}", signal_name(status.signal));
  return fmt::format("COMMAND ended with code {}", status.code);
}

}  // namespace

LaunchSession::LaunchSession(LaunchSetting setting)
    : setting_(std::move(setting)),
      report_(loop_.now()),
      live_(live_lines_options(setting_.environment)),
      signals_(loop_, {SIGTERM, SIGINT, SIGHUP}, bind<&LaunchSession::on_signal>(this)),
      starter_(make_starter(loop_, setting_)),
      service_(loop_, setting_.options.config,
               ServiceHooks{&report_, this, this, setting_.key, this}),
      replicas_(loop_.timers(), *starter_, setting_.layout.plan, replica_set_options(setting_),
                *this),
      command_(loop_, *this),
      act_(loop_, bind<&LaunchSession::on_act>(this)),
      tick_(loop_.timers(), bind<&LaunchSession::on_tick>(this)),
      job_end_(loop_.timers(), bind<&LaunchSession::on_job_end_near>(this)),
      overdue_(loop_.timers(), bind<&LaunchSession::on_end_overdue>(this)) {}

LaunchSession::~LaunchSession() = default;

int LaunchSession::run() {
  if (const Result<Ok, Problem> started = start(); !started) {
    say(fmt::format("weir: error: {}", started.error().what));
    if (!started.error().help.empty()) say("help: " + started.error().help);
    return kFailed;
  }
  loop_.run();
  finish();
  return exit_code_;
}

Result<Ok, Problem> LaunchSession::start() {
  if (Result<Ok, Problem> started = service_.start(); !started) return started.error();
  if (!setting_.options.publish.empty()) {
    publisher_.emplace(
        PublisherOptions{setting_.options.publish, setting_.options.publish_group, 10s});
    if (Result<Ok, Problem> first = publisher_->start(published()); !first) return first.error();
  }
  if (setting_.ignores_hangup) ::signal(SIGHUP, SIG_IGN);
  say_hello();
  replicas_.start(service_.sink());
  plan_drain();
  tick_.start(1s);
  act_.post();
  return Ok{};
}

void LaunchSession::say_hello() {
  say(fmt::format("weir: {} -> {}, logs in {}", url(), weir::describe(setting_.layout),
                  setting_.options.log_dir));
  for (const std::string& remark : setting_.layout.remarks) say("weir: note: " + remark);
}

// ---- what comes up

void LaunchSession::on_replica_change(const ReplicaStatus& status) {
  wants_publish_ = true;
  report_.on_replica(status, loop_.now());
  if (state_ != State::ending) write(live_.on_change(status, loop_.now()));
  act_.post();
}

void LaunchSession::on_backend_event(const BackendEvent& event) noexcept {
  replicas_.on_backend_event(event);
  act_.post();
}

void LaunchSession::on_all_failed() {
  have_all_failed_ = true;
  act_.post();
}

void LaunchSession::on_job_ending(const std::string& reason) {
  job_ending_ = reason;
  act_.post();
}

// A connection from this host and of our own user needs no key.
bool LaunchSession::may_pass(int fd) {
  return peer_uid(fd) == std::optional<uint32_t>(::getuid());
}

void LaunchSession::on_act() {
  if (wants_publish_ && publisher_ && state_ != State::ending) publisher_->update(published());
  wants_publish_ = false;
  if (state_ == State::ending || state_ == State::over) return;
  if (!job_ending_.empty() && !command_.is_stopping()) {
    say("weir: the job ends: " + job_ending_);
    return interrupt(SIGTERM);
  }
  if (state_ == State::coming_up) return go_on_when_ready();
  if (have_all_failed_ && !has_command())
    return end(kFailed, "no replica is left: all restarts are spent");
  if (have_all_failed_ && command_.is_running()) {
    have_all_failed_ = false;  // said once
    say("weir: error: no replica is left, all restarts are spent: COMMAND gets 503 from here on");
  }
}

void LaunchSession::go_on_when_ready() {
  const ReplicaCounts counts = replicas_.counts();
  const size_t wanted = setting_.options.wait_ready == LaunchOptions::kAll
                            ? counts.planned
                            : setting_.options.wait_ready;
  if (counts.ready >= wanted) {
    state_ = State::running;
    write(live_.settle(loop_.now()));
    say(fmt::format("weir: {} of {} replicas ready, {} coming", counts.ready, counts.planned,
                    counts.loading));
    if (has_command()) return start_command();
    return say(fmt::format("weir: serving at {} until told to stop", url()));
  }
  if (counts.planned - counts.failed < wanted) {
    write(live_.settle(loop_.now()));
    say(fmt::format("weir: error: {} of {} replicas failed, so {} can never be ready",
                    counts.failed, counts.planned, wanted));
    say(fmt::format("help: read the last lines of the replicas above, or their logs in {}",
                    setting_.options.log_dir));
    end(kFailed, "the replicas did not come up");
  }
}

void LaunchSession::start_command() {
  const CommandValues values{
      url(), setting_.options.model,
      uint64_t{setting_.options.concurrency_per_replica} * replicas_.counts().planned,
      static_cast<uint32_t>(replicas_.counts().planned)};
  ClientSettings client{url(), setting_.key, {host_name()}, setting_.options.client_environment};
  if (!setting_.own_host.empty()) client.no_proxy.push_back(setting_.own_host);
  for (const AllocatedNode& node : setting_.layout.allocation.nodes)
    client.no_proxy.push_back(node.name);
  CommandEnvironment environment = command_environment(setting_.environment, client);
  for (const std::string& name : environment.overwritten) {
    say(fmt::format(
        "weir: note: COMMAND gets {} of this run in place of yours (--client-env off leaves it)",
        name));
  }
  const Result<Ok, Problem> started = command_.start(fill_command(setting_.options.command, values),
                                                     as_lines(environment.environment));
  if (started) return;
  say("weir: error: " + started.error().what);
  end(kFailed, "COMMAND could not be started");
}

// ---- what ends

void LaunchSession::on_signal(int number) {
  const std::string signal = signal_name(number);
  if (state_ == State::ending) {
    // The first may have ended COMMAND before it came to us.
    if (++signals_seen_ == 1) return say(fmt::format("weir: {}: ending", signal));
    if (signals_seen_ == 2) {
      return say(
          fmt::format("weir: {}: already ending; once more leaves the rest to the nodes", signal));
    }
    say(fmt::format("weir: {} again: the replicas are left to end by themselves", signal));
    state_ = State::over;
    return loop_.stop();
  }
  // The terminal gave COMMAND the same signal. It may want to live on (an interpreter at its
  // prompt).
  const bool is_shared = number == SIGINT && command_.is_running() && command_.shares_terminal();
  if (is_shared && !command_.is_stopping() && loop_.now() - last_interrupt_ > kDoubleInterrupt) {
    last_interrupt_ = loop_.now();
    return;
  }
  ++signals_seen_;
  say(fmt::format("weir: {}: ending", signal));
  interrupt(number);
}

void LaunchSession::interrupt(int number) {
  if (command_.is_running()) return command_.stop(number);
  const std::string how =
      job_ending_.empty() ? "told to stop by " + signal_name(number) : "the job ended";
  end(has_command() ? 128 + number : 0, how);
}

void LaunchSession::on_command_end(ExitStatus status) {
  end(status.code, describe(status));
}

void LaunchSession::plan_drain() {
  const int64_t end_time = setting_.layout.allocation.end_time;
  if (setting_.options.drain_before == Duration::zero() || end_time == 0) return;
  job_end_.start(std::max(Duration::zero(), Duration(std::chrono::seconds(end_time - unix_now())) -
                                                setting_.options.drain_before));
}

void LaunchSession::on_job_end_near() {
  say(fmt::format("weir: the job ends in {}: --drain-before",
                  short_duration(setting_.options.drain_before)));
  // COMMAND has all that time to finish.
  if (command_.is_running()) return command_.signal(SIGTERM);
  interrupt(SIGTERM);
}

void LaunchSession::end(int exit_code, std::string how) {
  if (state_ == State::ending || state_ == State::over) return;
  state_ = State::ending;
  exit_code_ = exit_code;
  how_ = std::move(how);
  write(live_.settle(loop_.now()));
  report_.on_end({exit_code_, how_, {}}, loop_.now());
  if (publisher_) publisher_->announce_end();
  tick_.cancel();
  overdue_.start(kLongestEnd);
  replicas_.stop_all(bind<&LaunchSession::on_replicas_stopped>(this));
}

void LaunchSession::on_replicas_stopped(const ReplicaSweep& sweep) {
  std::vector<std::string> left;
  for (const std::string& step : sweep.cancelled)
    left.push_back("step " + step + " had to be cancelled");
  if (!sweep.problem.empty()) left.push_back("cannot check that no step is left: " + sweep.problem);
  report_.on_end({exit_code_, how_, std::move(left)}, loop_.now());
  state_ = State::over;
  loop_.stop();
}

void LaunchSession::on_end_overdue() {
  report_.on_end(
      {exit_code_, how_, {"some replicas did not end in time; they are left to their nodes"}},
      loop_.now());
  state_ = State::over;
  loop_.stop();
}

void LaunchSession::finish() {
  service_.stop();
  if (publisher_) publisher_->end();
  write(report_.text());
  if (setting_.options.report.empty()) return;
  if (!write_report(setting_.options.report, report_.json())) {
    say(fmt::format("weir: error: cannot write the report to {}: {}", setting_.options.report,
                    ::strerror(errno)));
  }
}

// ---- what is seen

void LaunchSession::on_tick() {
  write(live_.on_tick(loop_.now()));
  tick_.start(1s);
}

void LaunchSession::say(const std::string& text) {
  write(live_.note(text, loop_.now()));
}

void LaunchSession::write(const std::string& text) {
  if (text.empty()) return;
  [[maybe_unused]] const ssize_t n = ::write(2, text.data(), text.size());
}

std::vector<ReplicaView> LaunchSession::replica_views() const {
  std::vector<ReplicaView> views;
  for (const auto& replica : replicas_.replicas()) {
    const ReplicaStatus& status = replica->status();
    views.push_back({status.id, status.node, status.gpus, std::string(to_string(status.state)),
                     status.reason, status.log_path, loop_.now() - status.since, status.restarts});
  }
  return views;
}

}  // namespace weir
