// The environment a replica gets on top of the caller's: its key, unbuffered Python, and no proxy
// between the nodes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "discovery/slurm_environment.h"

namespace weir {

// Adds `hosts`, localhost and 127.0.0.1 to NO_PROXY and no_proxy (made equal), each once. COMMAND
// wants the same.
void extend_no_proxy(Environment& environment, const std::vector<std::string>& hosts);

Environment replica_environment(Environment environment, std::string_view api_key,
                                const std::vector<std::string>& hosts);

std::vector<std::string> as_lines(const Environment& environment);  // "NAME=value"

}  // namespace weir
