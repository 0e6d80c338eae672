// The program from argv to its exit code: parses, reads the config, calls the command, prints
// errors. Main thread.
#pragma once

#include <string>
#include <vector>

namespace weir {

// argv without the program's name. 0 ok, 1 run-time failure, 2 usage or config error; `launch` ends
// with its command's code.
int run(const std::vector<std::string>& arguments);

}  // namespace weir
