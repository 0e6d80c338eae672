#include "discovery/local_gpus.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

namespace weir {
namespace {

constexpr uint32_t kMaxGpus = 1024;

uint32_t count_entries(std::string_view list) {
  uint32_t count = 0;
  while (!list.empty() && count < kMaxGpus) {
    const size_t comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    // CUDA ignores what follows the first entry that is not a device: "-1" and "NoDevFiles" mean
    // none.
    if (entry.empty() || entry.starts_with('-') || entry == "NoDevFiles" || entry == "void" ||
        entry == "none") {
      break;
    }
    ++count;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return count;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

uint32_t count_directory(const char* path, std::string_view prefix) {
  uint32_t count = 0;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    if (prefix.empty() || is_number(std::string_view(name).substr(prefix.size()))) ++count;
  }
  return std::min(count, kMaxGpus);
}

}  // namespace

uint32_t count_local_gpus(const Environment& environment) {
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}) {
    const auto found = environment.find(name);
    if (found != environment.end()) return count_entries(found->second);
  }
  const uint32_t driver = count_directory("/proc/driver/nvidia/gpus", "");
  return driver > 0 ? driver : count_directory("/dev", "nvidia");
}

}  // namespace weir
