// Slurm's host list expressions ("gpu[01-03,07],cn-[1-2]-ib[0-1]") expanded without asking
// scontrol. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

namespace weir {

inline constexpr size_t kMaxHosts = 65536;

// Names in the order they are written, without doubles. Items are separated by commas or blanks
// outside brackets; several groups in an item multiply, text may follow a group; the low end of a
// range pads ("01-3" is 01 02 03).
Result<std::vector<std::string>, Problem> expand_hostlist(std::string_view expression);

}  // namespace weir
