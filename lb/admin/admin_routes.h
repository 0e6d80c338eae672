// What the admin side answers: a path and what there is to see, to a status and a body. Pure but
// for the process's own figures in /metrics. Loop thread only.
#pragma once

#include <string_view>

#include "lb/admin/admin_answer.h"
#include "lb/admin/live_view.h"
#include "lb/admin/metrics_source.h"

namespace weir {

// GET of `path` (without a query): /, /livez, /readyz, /metrics, /api/v1/status; anything else is a
// 404 that lists them.
AdminAnswer answer_admin(std::string_view path, const LiveView& view, const MetricsSource& metrics);

// POST of a path that is no action.
AdminAnswer refuse_post(std::string_view path);

}  // namespace weir
