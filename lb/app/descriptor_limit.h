// How many files this process may open, and how many clients that leaves room for. Called before
// any thread runs.
#pragma once

#include <cstdint>

#include "weir/result.h"

namespace weir {

// Each client may need a descriptor of its own and one of a backend; the rest (listeners, workers,
// probes, logs, admin) is held in reserve. `limit` is the one in force; `max_connections` 0 = as
// many as fit. A Problem where that is nothing to serve with, or fewer than were asked for.
Result<uint32_t, Problem> room_for_clients(uint64_t limit, uint32_t max_connections);

}  // namespace weir
