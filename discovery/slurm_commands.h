// Asks Slurm what the environment does not say. Blocks (each command has a deadline): for start-up,
// before the loop runs.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "weir/result.h"

#include "discovery/slurm_environment.h"

namespace weir {

bool is_on_path(const Environment& environment, std::string_view program);

// Standard output of a command, at most 4 MiB; its standard error is part of the Problem. Exit
// codes other than 0 are Problems.
Result<std::string, Problem> run_command(const std::vector<std::string>& argv,
                                         std::chrono::milliseconds deadline);

// Fills in GPUs of each node, node addresses and the end time. What Slurm will not tell is left as
// it was and becomes a line in `remarks`; it is a Problem only when the number of GPUs cannot be
// known at all.
struct AllocationAnswer {
  Allocation allocation;
  std::vector<std::string> remarks;
};
AllocationAnswer ask_slurm(Allocation allocation, const Environment& environment,
                           std::chrono::milliseconds deadline);

}  // namespace weir
