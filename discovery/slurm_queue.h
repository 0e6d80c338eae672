// The texts of scontrol and squeue as values: GPUs of each node, node addresses, time left, step
// ids. Only forms that have been the same since Slurm 20. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

#include "discovery/slurm_environment.h"

namespace weir {

// `scontrol show job -d ID`: node -> GPUs this job has there ("Nodes=gpu[01-02] ...
// GRES=gpu:a100:4(IDX:0-3)").
Result<std::map<std::string, uint32_t, std::less<>>, Problem> parse_job_gpus(std::string_view text);

// `scontrol -o show node ...`: node -> NodeAddr.
Result<std::map<std::string, std::string, std::less<>>, Problem> parse_node_addresses(
    std::string_view text);

// `squeue -h -j ID -o '%e|%L'`: seconds left; -1 = no limit.
Result<int64_t, Problem> parse_time_left(std::string_view text);

struct StepEntry {
  std::string id;    // "2.1"
  std::string name;  // "weir-n01-0"
};
// `squeue -h -s -j ID -o '%i|%j'`; steps that are not srun's (batch, extern, interactive) are left
// out.
Result<std::vector<StepEntry>, Problem> parse_steps(std::string_view text);

}  // namespace weir
