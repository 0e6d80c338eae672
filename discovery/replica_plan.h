// Which replica runs where, on which GPUs, and the exact srun line of each. Pure; value types, any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/result.h"

#include "discovery/slurm_environment.h"

namespace weir {

enum class GpuBinding : uint8_t {
  pick,   // every step sees all GPUs of its node, the wrapper takes its share (works under every
          // sbatch header)
  slurm,  // --exact: Slurm gives each step its own GPUs and cores (device isolation)
};

struct ReplicaPlanOptions {
  uint32_t gpus_per_replica = 1;
  uint32_t replicas = 0;  // 0 = as many as fit
  GpuBinding binding = GpuBinding::pick;
  std::vector<std::string> srun_args = {};  // put behind ours, so that they win
  std::string step_prefix = "weir-";  // of the steps' names: the sweep at the end looks for it
};

struct PlannedReplica {
  uint32_t index = 0;        // 0... in the run: {replica}
  std::string id;            // "n01-0": node and its number there; "local-0" without Slurm
  std::string node;          // "localhost" without Slurm
  std::string node_address;  // Slurm's NodeAddr, in case the wrapper finds none; may be empty
  uint32_t local_index = 0;  // 0... on its node
  uint32_t first_gpu = 0;    // its share is [first_gpu, first_gpu + gpus) of what the step sees
  uint32_t gpus = 0;         // 0 = none
  uint32_t node_gpus = 0;    // all GPUs of the job on that node
  uint32_t cpus = 0;         // its share, for GpuBinding::slurm; 0 = unknown
};

struct ReplicaPlan {
  std::vector<PlannedReplica> replicas;
  std::vector<std::string> remarks;  // GPUs left over, nodes without GPUs
};

inline constexpr uint32_t kMaxReplicas = 4096;

Result<ReplicaPlan, Problem> plan_replicas(const Allocation& allocation,
                                           const ReplicaPlanOptions& options);

// The same without Slurm, on this machine. With no GPU, options.replicas must be given.
Result<ReplicaPlan, Problem> plan_local_replicas(uint32_t gpus, const ReplicaPlanOptions& options);

// srun ... WRAPPER...
std::vector<std::string> srun_command(const Allocation& allocation, const PlannedReplica& replica,
                                      const ReplicaPlanOptions& options,
                                      const std::vector<std::string>& wrapper);

// The environment of srun: without the variables by which sbatch's options leak into every step.
Environment srun_environment(Environment environment);

// argv as a line that a shell would read back: for --plan and logs.
std::string shell_quoted(const std::vector<std::string>& argv);

}  // namespace weir
