// `weir bench`: flags to a run to a report. A process of its own: blocks. Main thread.
#pragma once

#include <string>
#include <vector>

#include "lb/cli/bench_flags.h"

namespace weir {

// The exit code: 0 to 5 as its --help says, 130 after Ctrl-C. `arguments` go into the record.
int run_bench_command(const BenchFlags& flags, const std::vector<std::string>& arguments);

}  // namespace weir
