// How a replica's process is brought to life and ended: by an srun step (srun_step.h) or on this
// machine (local_process.h). A ReplicaProcess is owned by its Replica. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/callback.h"
#include "weir/result.h"

#include "discovery/replica_plan.h"

namespace weir {

// What the wrapper on the node says in its first line:
// "weir-replica v1 host=gpu01 addr=10.0.0.1 port=61033 gpus=0,1 step=2.3"
struct ReplicaReport {
  std::string host;
  std::string address;  // empty: the wrapper found none but loopback
  uint16_t port = 0;
  std::string gpus;  // empty = none
  std::string step;  // "JOB.STEP"; empty without Slurm
};

enum class ReplicaEndKind : uint8_t {
  exited,       // the server ended by itself: `code`
  stopped,      // because we stopped it
  not_started,  // srun or the wrapper could not start it
  node_failed,  // the node is gone: nothing is to be started there again
  job_over,     // the allocation is gone
};

struct ReplicaEnd {
  ReplicaEndKind kind = ReplicaEndKind::exited;
  int code = 0;        // the server's exit code, 128+n for a signal
  std::string reason;  // "exited with code 1", "killed by signal 9 (Killed)", "node gpu02 failed"
};

class ReplicaProcessUser {
 public:
  virtual void on_replica_report(const ReplicaReport& report) = 0;  // at most once
  virtual void on_replica_output(std::string_view line) = 0;  // without its newline; at most 8 KiB
  virtual void on_replica_terminated() = 0;  // somebody else sent it SIGTERM: scancel, the time
                                             // limit, preemption
  virtual void on_replica_end(const ReplicaEnd& end) = 0;  // the last call

 protected:
  ~ReplicaProcessUser() = default;
};

class ReplicaProcess {
 public:
  // Closes the lifeline without waiting for anything and without a further call: the server goes
  // down by itself.
  virtual ~ReplicaProcess() = default;

  // Lifeline closed (SIGTERM on the node), then harder and harder; ends in on_replica_end within
  // grace + 20 s. May be called again.
  virtual void stop() = 0;
};

struct ReplicaSweep {
  std::vector<std::string> cancelled;  // steps of ours that were still there
  std::string problem;  // why it could not be checked; empty = it was, and nothing is left
};

class ReplicaStarter {
 public:
  virtual ~ReplicaStarter() = default;

  // argv of the replica, for --plan and the log; carries no key.
  virtual std::vector<std::string> command(const PlannedReplica& replica) const = 0;

  // The user is called from later turns only. A Problem: fork or pipe failed.
  virtual Result<std::unique_ptr<ReplicaProcess>, Problem> start(const PlannedReplica& replica,
                                                                 ReplicaProcessUser& user) = 0;

  // After every process has ended: is anything of ours left? One call of `done`, in a later turn,
  // within 20 s. One sweep at a time.
  virtual void sweep(Callback<const ReplicaSweep&> done) = 0;
};

}  // namespace weir
