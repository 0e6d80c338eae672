#include "discovery/gpu_share.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr std::array kDeviceVariables = std::to_array<std::string_view>(
    {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"});

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> entries;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    entries.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return entries;
}

std::string join(const std::vector<std::string>& entries, size_t first, size_t count) {
  std::string list;
  for (size_t i = first; i < first + count; ++i) list += (list.empty() ? "" : ",") + entries[i];
  return list;
}

// Some servers read the variable as integers and fail on "GPU-5c9f...". MIG slices have no position
// of their own.
void use_positions(std::vector<std::string>& entries, uint32_t devices) {
  const bool are_uuids =
      !entries.empty() && std::all_of(entries.begin(), entries.end(), [](const std::string& entry) {
        return entry.starts_with("GPU-");
      });
  if (!are_uuids || entries.size() != devices) return;
  for (size_t i = 0; i < entries.size(); ++i) entries[i] = fmt::format("{}", i);
}

Problem too_few(std::string_view name, std::string_view list, uint32_t first, uint32_t count) {
  return {fmt::format("this step sees too few GPUs: it needs entries {} to {} of {}=\"{}\"", first,
                      first + count - 1, name, list),
          "look at the job's GPUs with scontrol show job -d, or use --binding slurm"};
}

}  // namespace

Result<GpuShare, Problem> take_gpus(const Environment& environment, uint32_t first, uint32_t count,
                                    uint32_t devices) {
  GpuShare share;
  if (count == 0) return share;
  for (const std::string_view name : kDeviceVariables) {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) continue;
    std::vector<std::string> entries = split(found->second);
    if (entries.size() < size_t{first} + count) return too_few(name, found->second, first, count);
    use_positions(entries, devices);
    share.variables.emplace_back(name, join(entries, first, count));
    if (share.gpus.empty()) share.gpus = share.variables.back().second;
  }
  if (!share.variables.empty()) return share;
  // Nothing says what is ours: a machine without Slurm, or GPUs that Slurm does not bind.
  if (devices < first + count) {
    return Problem{fmt::format("no GPU is visible here: CUDA_VISIBLE_DEVICES is not set and {} "
                               "devices were found, {} are needed",
                               devices, first + count),
                   "ask for GPUs (#SBATCH --gpus-per-node=N), or use --gpus-per-replica 0"};
  }
  for (uint32_t i = first; i < first + count; ++i) {
    share.gpus += (share.gpus.empty() ? "" : ",") + fmt::format("{}", i);
  }
  share.variables.emplace_back("CUDA_VISIBLE_DEVICES", share.gpus);
  return share;
}

}  // namespace weir
