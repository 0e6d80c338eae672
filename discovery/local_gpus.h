// How many GPUs this machine shows to us, for replicas without Slurm.
#pragma once

#include <cstdint>

#include "discovery/slurm_environment.h"

namespace weir {

// The entries of CUDA_VISIBLE_DEVICES (or ROCR_VISIBLE_DEVICES, ZE_AFFINITY_MASK), else the devices
// of the NVIDIA driver; 0 = none.
uint32_t count_local_gpus(const Environment& environment);

}  // namespace weir
