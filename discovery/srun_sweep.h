// Looks with squeue whether steps of this run are left, waits a moment for those that are ending,
// cancels the rest. Owned by the srun starter. Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "weir/callback.h"
#include "weir/timer.h"

#include "discovery/replica_starter.h"
#include "lb/net/event_loop.h"
#include "lb/net/subprocess.h"

namespace weir {

class SrunSweep final : private SubprocessUser {
 public:
  SrunSweep(EventLoop& loop, std::string job_id, std::string step_prefix,
            std::vector<std::string> environment);

  void start(Callback<const ReplicaSweep&> done);

 private:
  void ask();     // squeue
  void on_due();  // the next round, or squeue took too long
  void on_output(std::string_view bytes) override;
  void on_exit(ExitStatus status) override;
  void cancel(const std::vector<std::string>& steps);
  void finish(std::string problem);
  std::vector<std::string> steps_left(std::string* problem) const;

  class Ignored final : public SubprocessUser {
    void on_output(std::string_view) override {}
    void on_exit(ExitStatus) override {}
  };

  EventLoop& loop_;
  const std::string job_id_;
  const std::string step_prefix_;
  const std::vector<std::string> environment_;
  Callback<const ReplicaSweep&> done_;
  ReplicaSweep result_;
  TimePoint deadline_{};
  int rounds_ = 0;
  std::string answer_;
  Timer timer_;
  Ignored ignored_;
  Subprocess squeue_;
  Subprocess scancel_;
};

}  // namespace weir
