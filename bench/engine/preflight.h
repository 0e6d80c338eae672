// What has to be known of the targets before the load: where they are, whether they answer, which
// model they have, and how many tokens a chat's template adds. Blocks. Main thread.
#pragma once

#include <string>

#include "weir/result.h"

#include "bench/engine/bench_run.h"

namespace weir {

// "Name: value\r\n"... for each request.
std::string request_fields(const BenchOptions& options);

// Fills in addresses, the model and the template's tokens. A Problem: not one target answers
// (`nothing_reachable`), or no model is known.
Result<Ok, Problem> look_at_targets(BenchOptions* options, ProgressLine& progress,
                                    bool* nothing_reachable);

}  // namespace weir
