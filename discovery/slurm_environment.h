// What the SLURM_* variables of a batch script say about its allocation. Pure; value types, any
// thread. Times are Unix seconds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weir/result.h"

namespace weir {

using Environment = std::map<std::string, std::string, std::less<>>;
Environment current_environment();  // a copy of this process's

struct AllocatedNode {
  std::string name;
  uint32_t cpus = 0;    // 0 = unknown
  uint32_t gpus = 0;    // 0 = none, or not known yet (Allocation::gpus_known)
  std::string address;  // Slurm's NodeAddr; empty = not asked yet
};

struct Allocation {
  std::string job_id;
  std::vector<AllocatedNode> nodes;
  bool gpus_known = false;      // every node's count is exact: `scontrol show job -d` was read
  bool is_inside_step = false;  // we are a task of srun, not the batch script
  uint32_t restart_count = 0;   // requeued so often
  int64_t end_time = 0;         // 0 = unknown, or no limit
};

bool is_in_allocation(const Environment& environment);
Result<Allocation, Problem> read_allocation(const Environment& environment);

// "4(x2),6" -> 4 4 6, for SLURM_JOB_CPUS_PER_NODE. At most kMaxHosts values.
Result<std::vector<uint32_t>, Problem> expand_counts(std::string_view text);

}  // namespace weir
