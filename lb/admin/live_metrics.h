// The gauges: what an InstanceView says of this moment. Pure; any thread.
#pragma once

#include "lb/admin/live_view.h"
#include "lb/observe/prometheus_text.h"

namespace weir {

void write_live_metrics(PrometheusText& out, const InstanceView& view);

}  // namespace weir
