// A small file, whole. Blocks; refuses what is larger than it may be, so nothing unbounded is read.
// Main thread.
#pragma once

#include <cstddef>
#include <string>

#include "weir/result.h"

namespace weir {

Result<std::string, Problem> read_small_file(const std::string& path, size_t most);

}  // namespace weir
