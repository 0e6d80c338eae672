// Which of the GPUs a step sees belong to one replica. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/result.h"

#include "discovery/slurm_environment.h"

namespace weir {

struct GpuShare {
  std::string gpus;  // "2,3"; empty = none were asked for
  // The device variables to set; those that were not set before stay unset unless nothing was.
  std::vector<std::pair<std::string, std::string>> variables;
};

// Entries [first, first + count) of each device variable that is set (CUDA_VISIBLE_DEVICES,
// ROCR_VISIBLE_DEVICES, ...): never the numbers themselves, which differ between jobs that share a
// node. `devices`: GPUs this process can open, 0 = unknown; a list of UUIDs that covers all of them
// is replaced by positions, which every server understands.
Result<GpuShare, Problem> take_gpus(const Environment& environment, uint32_t first, uint32_t count,
                                    uint32_t devices);

}  // namespace weir
