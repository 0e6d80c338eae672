// Where the replicas of a run go: inside a Slurm allocation or on this machine, and what must be
// wrong usage instead. Asks Slurm (with a deadline), starts nothing. Main thread, before the loop
// runs.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"

#include "discovery/replica_plan.h"
#include "discovery/slurm_environment.h"
#include "lb/launch/launch_options.h"

namespace weir {

struct RunLayout {
  bool is_slurm = false;
  Allocation allocation;  // when is_slurm
  ReplicaPlanOptions options;
  ReplicaPlan plan;
  std::vector<std::string> remarks;  // what people should hear before anything starts
};

// A Problem is wrong usage (exit code 2).
Result<RunLayout, Problem> lay_out_run(const LaunchOptions& options,
                                       const Environment& environment);

// "8 replicas of 1 GPU on 2 nodes of job 1234", "3 replicas on this machine"
std::string describe(const RunLayout& layout);

// Without exec in front, the batch shell gets the signals meant for us and keeps them. `parent` is
// its /proc/PID/comm; the answer is a warning, or empty.
std::string missing_exec(const Environment& environment, std::string_view parent,
                         bool has_terminal);

}  // namespace weir
