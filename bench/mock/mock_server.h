// `weir mock`: pretend vLLM servers, one for each address, in one process and on one thread.
#pragma once

#include "bench/mock/mock_options.h"

namespace weir {

// Runs until SIGTERM or SIGINT. Returns the exit code: 0 after a signal, 1 when it cannot listen or
// all servers died of faults. A single server that is told to die ends the process at once with
// code 1, without returning.
int run_mock(const MockOptions& options);

}  // namespace weir
