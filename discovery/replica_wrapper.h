// The wrapper that runs beside each server on its node: takes the replica's share of the GPUs,
// picks a free port, reports both in its first line, runs the server in a process group of its own,
// and takes it down when its standard input (the lifeline) ends or SIGTERM comes. A process of its
// own: blocks, never returns to a loop.
#pragma once

#include "discovery/replica_wrapper_options.h"

namespace weir {

// The exit code: the server's, 128+n for a signal, kReplicaCannotStart when it could not even be
// started.
inline constexpr int kReplicaCannotStart = 125;
int run_replica_wrapper(const ReplicaWrapperOptions& options);

}  // namespace weir
