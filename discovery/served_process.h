// The server as the wrapper's child: a process group of its own, no standard input, and nothing of
// it left when it has ended. Owned by the wrapper; single-threaded, blocks only in end().
#pragma once

#include <sys/types.h>

#include <string>

#include "weir/result.h"

#include "discovery/slurm_environment.h"

namespace weir {

class ServedProcess {
 public:
  ServedProcess() = default;
  ServedProcess(const ServedProcess&) = delete;
  ServedProcess& operator=(const ServedProcess&) = delete;

  // /bin/sh -c COMMAND with the signals unblocked.
  Result<Ok, Problem> start(const std::string& command, const Environment& environment);

  bool has_ended();                             // reaps; true once the server itself is gone
  int exit_code() const { return exit_code_; }  // as a shell has it
  void signal(int number) const;                // its whole group
  bool has_group() const;                       // reaps; is anything of the group left?

  // SIGKILL to what is left of the group and to every descendant that left it; waits at most two
  // seconds for them to go.
  void clean_up() const;

 private:
  pid_t pid_ = 0;
  int exit_code_ = 0;
  bool has_ended_ = false;
};

}  // namespace weir
