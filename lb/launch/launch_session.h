// The life of one `weir launch`: replicas come up behind the balancer, COMMAND runs, everything
// goes down again. Owned by run_launch(). Loop thread only.
//
//   coming_up --(enough ready)--> running --(COMMAND ended, told to stop)--> ending --> over
//       '--------(told to stop, cannot come up)------------------------------^
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "discovery/replica_set.h"
#include "lb/app/service.h"
#include "lb/launch/launch_setting.h"
#include "lb/launch/live_lines.h"
#include "lb/launch/publisher.h"
#include "lb/launch/run_report.h"
#include "lb/launch/user_command.h"
#include "lb/net/event_loop.h"
#include "lb/net/signals.h"

namespace weir {

class LaunchSession final : private ReplicaObserver,
                            private UserCommandOwner,
                            private BackendObserver,
                            private ClientGate,
                            private ReplicaViews {
 public:
  static constexpr int kFailed = 125;  // weir failed before, or instead of, COMMAND

  explicit LaunchSession(LaunchSetting setting);
  LaunchSession(const LaunchSession&) = delete;
  LaunchSession& operator=(const LaunchSession&) = delete;
  ~LaunchSession();

  int run();  // the exit code

 private:
  enum class State : uint8_t { coming_up, running, ending, over };

  void on_replica_change(const ReplicaStatus& status) override;
  void on_job_ending(const std::string& reason) override;
  void on_all_failed() override;
  void on_backend_event(const BackendEvent& event) noexcept override;
  bool may_pass(int fd) override;
  std::vector<ReplicaView> replica_views() const override;
  void on_command_end(ExitStatus status) override;
  void on_signal(int number);
  void on_act();
  void on_tick();
  void on_job_end_near();
  void on_replicas_stopped(const ReplicaSweep& sweep);
  void on_end_overdue();

  Result<Ok, Problem> start();
  void say_hello();
  void go_on_when_ready();
  void start_command();
  void interrupt(int number);
  void end(int exit_code, std::string how);
  void finish();
  void plan_drain();
  void say(const std::string& text);
  void write(const std::string& text);
  std::string url() const { return base_url(service_.listening().front()); }
  PublishedRun published() const { return published_run(setting_, replicas_, url(), loop_.now()); }
  bool has_command() const { return !setting_.options.command.empty(); }

  const LaunchSetting setting_;
  EventLoop loop_;
  RunReport report_;
  LiveLines live_;
  Signals signals_;
  std::unique_ptr<ReplicaStarter> starter_;
  BalancerService service_;
  ReplicaSet replicas_;
  UserCommand command_;
  std::optional<Publisher> publisher_;
  State state_ = State::coming_up;
  int exit_code_ = 0;
  std::string how_;
  bool have_all_failed_ = false;
  bool wants_publish_ = false;
  std::string job_ending_;  // why; empty = it is not
  int signals_seen_ = 0;
  TimePoint last_interrupt_{};
  Task act_;  // what must not be done within a callback
  Timer tick_;
  Timer job_end_;
  Timer overdue_;
};

}  // namespace weir
