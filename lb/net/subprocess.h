// A child process on a loop: its output as lines or bytes, its end with its status. The destructor
// does not kill: whoever started it ends it (signal()), and waits for on_exit. Uses pidfd, so no
// SIGCHLD handler. Loop thread only.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"
#include "weir/timer.h"

#include "lb/net/io_event.h"
#include "lb/net/socket.h"

namespace weir {

struct SubprocessOptions {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH
  std::vector<std::string> environment;  // "NAME=value"; the whole environment of the child
  std::string directory;                 // empty = ours
  bool own_process_group = true;
  bool ends_with_us = false;  // SIGTERM when we are gone, kill -9 included
  enum class Input : uint8_t { null, pipe, inherit } input = Input::null;
  enum class Output : uint8_t { pipe, inherit } output = Output::pipe;  // stdout
  bool errors_to_output = true;  // stderr goes where stdout goes; else inherited
};

// How a process ended.
struct ExitStatus {
  int code = 0;    // as a shell has it: exit code, or 128 + signal
  int signal = 0;  // 0 = exited by itself
};

class SubprocessUser {
 public:
  virtual void on_output(std::string_view bytes) = 0;
  // The last call; output that descendants still hold open is not waited for.
  virtual void on_exit(ExitStatus status) = 0;

 protected:
  ~SubprocessUser() = default;
};

class Subprocess {
 public:
  Subprocess(EventLoop& loop, SubprocessUser& user)
      : loop_(loop), user_(user), reaper_(loop.timers(), bind<&Subprocess::reap>(this)) {}
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();

  // A program that cannot be executed (not found, no permission) is a Problem here, not an exit
  // code.
  Result<Ok, Problem> start(const SubprocessOptions& options);

  bool is_running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  void signal(int number) noexcept;        // the process
  void signal_group(int number) noexcept;  // its process group, if it has its own
  void close_input() noexcept;             // end of file on its stdin, when that is a pipe

 private:
  void on_output_ready(Readiness readiness);
  void on_pid_ready(Readiness) { reap(); }
  void reap();
  bool drain_output();

  EventLoop& loop_;
  SubprocessUser& user_;
  pid_t pid_ = 0;
  bool has_own_group_ = false;
  UniqueFd input_;
  UniqueFd output_;
  IoEvent output_event_;
  UniqueFd pid_fd_;
  IoEvent pid_event_;
  Timer reaper_;  // where there is no pidfd
};

}  // namespace weir
