// COMMAND as a process: started with our standard streams, told to end with patience, and never
// left behind. Owned by the launch. Loop thread only.
//
// On a terminal whose foreground we are, it shares our process group: it may read the terminal,
// Ctrl-C reaches it by itself, and pipelines and Ctrl-Z work as the shell means them. Elsewhere it
// gets a group of its own.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"
#include "weir/timer.h"

#include "lb/net/subprocess.h"

namespace weir {

class UserCommandOwner {
 public:
  virtual void on_command_end(ExitStatus status) = 0;  // the last call

 protected:
  ~UserCommandOwner() = default;
};

class UserCommand final : private SubprocessUser {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(5);

  UserCommand(EventLoop& loop, UserCommandOwner& owner);
  UserCommand(const UserCommand&) = delete;
  UserCommand& operator=(const UserCommand&) = delete;

  Result<Ok, Problem> start(std::vector<std::string> argv, std::vector<std::string> environment);

  void stop(int first_signal);  // that, and SIGKILL when kPatience is over; again: SIGKILL now
  void signal(int number);      // to it and all its descendants
  bool is_running() const { return process_.is_running(); }
  bool is_stopping() const { return is_stopping_; }
  bool shares_terminal() const { return shares_terminal_; }

 private:
  void on_output(std::string_view) override {}
  void on_exit(ExitStatus status) override;
  void on_patience_over();

  UserCommandOwner& owner_;
  Subprocess process_;
  Timer patience_;
  bool shares_terminal_ = false;
  bool is_stopping_ = false;
  pid_t pid_ = 0;  // kept behind its end, for its group
};

// Whether `program` can be executed: a Problem before the replicas load for ten minutes is worth
// more than one after.
Result<Ok, Problem> find_program(const std::string& program, const std::string& path);

// The processes that descend from `root`, itself not included. Pure: `parents` is (pid, parent) of
// all processes.
struct ProcessParent {
  pid_t pid;
  pid_t parent;
};
std::vector<pid_t> descendants_of(pid_t root, const std::vector<ProcessParent>& parents);

}  // namespace weir
