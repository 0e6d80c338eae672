// `weir check`: validates a config file without binding anything, and prints what it comes to. Main
// thread.
#pragma once

#include "lb/cli/command_line.h"

namespace weir {

// 0 = all is well, 2 = the file has mistakes.
int run_check(const CheckOptions& options);

// Reads the file of serve, or prints every mistake in it and says how many.
bool load_or_complain(const std::string& file, Config* config);

}  // namespace weir
