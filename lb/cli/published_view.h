// A published file as an InstanceView, so that `weir status --file` shows a run from any node.
// Pure; any thread.
#pragma once

#include "discovery/launcher_file.h"
#include "lb/admin/live_view.h"

namespace weir {

// `now` in Unix seconds. Counts that only the process knows stay 0.
InstanceView view_of(const PublishedRun& run, int64_t now);
// Why the run cannot be there any more; empty when it may be.
std::string ended_text(const PublishedRun& run, int64_t now);

}  // namespace weir
