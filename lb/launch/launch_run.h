// `weir launch` from start to end: replicas, balancer, COMMAND, report; takes everything down again
// on every path. Main thread; blocks until all is over.
#pragma once

#include "lb/launch/launch_options.h"

namespace weir {

// Exit codes: COMMAND's own (128+n when signal n killed it), 125 when weir failed before or instead
// of it, 2 for wrong usage, 0 when told to stop without a COMMAND, 130 when interrupted before it
// began.
int run_launch(const LaunchOptions& options);

}  // namespace weir
