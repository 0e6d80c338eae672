// The life of one replica: started, loading, in service, restarted with back-off when it crashes,
// given up when its restarts are spent. Knows nothing of HTTP: that it is ready it is told. Owned
// by ReplicaSet. Loop thread only.
//
//   waiting --> starting --> loading --> ready
//      ^            |           |          |        ended, or start_timeout over
//      +-- back-off-+-----------+----------+------> failed (restarts spent, node gone)
//   any --> stopping --> stopped
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "weir/timer.h"

#include "discovery/replica_log.h"
#include "discovery/replica_plan.h"
#include "discovery/replica_starter.h"

namespace weir {

enum class ReplicaState : uint8_t {
  waiting,   // for its first start, or for its back-off to be over
  starting,  // its process runs, but the node has not reported an address yet
  loading,   // address known, not ready yet
  ready,
  stopping,
  stopped,
  failed,  // given up
};
std::string_view to_string(ReplicaState state) noexcept;

// What people see of a replica.
struct ReplicaStatus {
  std::string id;
  std::string node;
  uint32_t index = 0;
  ReplicaState state = ReplicaState::waiting;
  TimePoint since{};      // in this state
  TimePoint started{};    // of this process: "loading 1m12s" counts from here
  uint32_t restarts = 0;  // so far, without port clashes
  std::string host;       // empty until reported
  uint16_t port = 0;
  std::string gpus;
  std::string step;    // empty without Slurm
  std::string reason;  // why it is in this state: "exited with code 1; restart 1 of 3 in 2 s"
  std::string log_path;
  std::vector<std::string>
      last_lines;  // of its output; filled when its process ended against our will
};

struct ReplicaOptions {
  Duration start_timeout =
      std::chrono::minutes(30);  // from its start to ready; then it counts as failed
  uint32_t restarts = 3;         // per replica; begins anew after it was ready for `forgive_after`
  uint32_t early_restarts = 1;   // while no replica of the run has ever been ready
  uint32_t port_clashes = 5;     // "address already in use" before ready: tried on another port
  Duration first_backoff = std::chrono::seconds(1);  // doubles
  Duration longest_backoff = std::chrono::seconds(60);
  Duration forgive_after = std::chrono::minutes(10);
  std::string log_dir;     // empty: no files
  std::string log_prefix;  // "weir-1234" -> LOG_DIR/weir-1234.r0.n01.log
};

class Replica;

class ReplicaOwner {
 public:
  // Its state, address or reason changed. Never from within a call into the replica's constructor.
  virtual void on_replica_changed(Replica& replica) = 0;
  virtual void on_replica_terminated(Replica& replica) = 0;  // SIGTERM from outside
  virtual void on_replica_job_over(Replica& replica) = 0;    // srun says the allocation is gone
  virtual bool has_any_been_ready() const = 0;
  virtual bool is_job_ending() const = 0;  // nothing is to be started any more

 protected:
  ~ReplicaOwner() = default;
};

class Replica final : private ReplicaProcessUser {
 public:
  Replica(TimerQueue& timers, ReplicaStarter& starter, ReplicaOwner& owner, PlannedReplica plan,
          const ReplicaOptions& options);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  void start();
  void stop();      // ends in state stopped
  void on_ready();  // told by the prober
  void on_down(std::string_view reason);

  const PlannedReplica& plan() const { return plan_; }
  const ReplicaStatus& status() const { return status_; }
  ReplicaState state() const { return status_.state; }
  bool is_running() const { return process_ != nullptr; }
  bool has_address() const;     // it belongs into the backend set
  bool may_still_come() const;  // waiting or starting: counts as pending
  bool is_over() const;         // stopped or failed, and no process left

 private:
  void on_replica_report(const ReplicaReport& report) override;
  void on_replica_output(std::string_view line) override;
  void on_replica_terminated() override;
  void on_replica_end(const ReplicaEnd& end) override;

  void launch();
  void on_due();
  void retry_or_give_up(const ReplicaEnd& end);
  void wait(Duration backoff, std::string reason);
  void become(ReplicaState next, std::string reason);
  bool looks_like_port_clash() const;
  uint32_t allowed_restarts() const;

  ReplicaStarter& starter_;
  ReplicaOwner& owner_;
  const PlannedReplica plan_;
  const ReplicaOptions& options_;
  TimerQueue& timers_;
  ReplicaStatus status_;
  ReplicaLog log_;
  uint32_t clashes_ = 0;
  uint32_t spent_restarts_ = 0;  // since the last forgiveness
  bool was_ready_ = false;       // this process
  bool timed_out_ = false;       // stopping because of start_timeout
  bool wants_stop_ = false;
  Timer timer_;  // back-off, or the start's deadline
  std::unique_ptr<ReplicaProcess> process_;
};

}  // namespace weir
