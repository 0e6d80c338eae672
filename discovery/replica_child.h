// The process on our side that stands for a replica: srun, or the wrapper itself on this machine.
// Reads what the wrapper says between the server's lines, ends it by the lifeline and then harder,
// and says how it ended. Owned by its Replica. Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "weir/timer.h"

#include "discovery/line_splitter.h"
#include "discovery/replica_starter.h"
#include "lb/net/event_loop.h"
#include "lb/net/subprocess.h"

namespace weir {

struct ReplicaChildOptions {
  bool is_srun = false;  // SIGTERM to it is SIGKILL to the server, and scancel may help
  Duration grace = std::chrono::seconds(10);
  std::string node;
  std::vector<std::string> environment;  // of scancel
};

class ReplicaChild final : public ReplicaProcess, private SubprocessUser {
 public:
  ReplicaChild(EventLoop& loop, ReplicaProcessUser& user, ReplicaChildOptions options);

  Result<Ok, Problem> start(const SubprocessOptions& options);
  void stop() override;

 private:
  // How hard we have tried to stop it.
  enum class Force : uint8_t { none, lifeline, terminated, cancelled, killed };

  void on_output(std::string_view bytes) override;
  void on_exit(ExitStatus status) override;
  void on_line(std::string_view line);
  void note_srun_message(std::string_view line);
  void on_due();
  void cancel_step();
  bool may_be_orphaned() const;
  ReplicaEnd judge(ExitStatus status) const;

  // Output and end of scancel are nobody's concern: its exit code lies.
  class Ignored final : public SubprocessUser {
    void on_output(std::string_view) override {}
    void on_exit(ExitStatus) override {}
  };

  ReplicaProcessUser& user_;
  const ReplicaChildOptions options_;
  Force force_ = Force::none;
  bool has_report_ = false;
  bool has_node_failed_ = false;
  bool is_job_over_ = false;
  bool is_controller_away_ = false;
  std::string step_;
  std::string problem_;              // the wrapper's own
  std::string srun_error_;           // srun's last
  std::optional<int> code_;          // by the wrapper's last line
  std::optional<ExitStatus> ended_;  // the end is known, its telling waits for scancel
  LineSplitter lines_;
  Timer timer_;  // to the next force
  Ignored ignored_;
  Subprocess scancel_;
  Subprocess process_;
};

}  // namespace weir
