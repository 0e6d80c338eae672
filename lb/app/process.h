// `weir serve`, `reverse-proxy` and `weir URL…` as a process: the service, its signals, its orderly
// end.
#pragma once

#include "lb/config/config.h"

namespace weir {

// Blocks until SIGTERM or SIGINT. Exit codes: 0 told to stop, 1 could not run, 2 the configuration
// cannot be carried out. SIGTERM drains up to config.drain.timeout; a second signal ends now.
int run_serve(const Config& config);

}  // namespace weir
