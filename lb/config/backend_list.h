// Backends as people write them: URLs, host:port, and ranges of both. Pure: resolves nothing. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/backend.h"
#include "weir/result.h"

namespace weir {

inline constexpr size_t kMostBackends = 4096;

// "http://node[01-08,12]:8000" and "host:8000-8007" become one backend for each combination, in the
// order written; ids are host:port. Anything else is one backend. ":8000" is a port of this
// machine.
Result<std::vector<BackendSpec>, Problem> expand_backends(std::string_view text);

}  // namespace weir
