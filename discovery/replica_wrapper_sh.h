// The wrapper as a script for /bin/sh, for nodes that do not see the weir binary. Pure.
#pragma once

#include <string>

#include "discovery/replica_wrapper_options.h"

namespace weir {

// Does what run_replica_wrapper does, with two differences: a port counts as free when no socket of
// the node has it, and descendants that leave the server's session are not hunted down.
std::string replica_wrapper_script(const ReplicaWrapperOptions& options);

// How the wrapper is called on the node: our binary if it runs there, else the script out of
// WEIR_REPLICA_SH.
std::vector<std::string> replica_wrapper_command(const std::string& weir_path,
                                                 const ReplicaWrapperOptions& options);

}  // namespace weir
