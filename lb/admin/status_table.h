// An InstanceView as a table for people. Pure; any thread.
#pragma once

#include <string>

#include "lb/admin/live_view.h"

namespace weir {

struct TableStyle {
  bool has_colour = false;
};

// Some lines, each with its newline; columns are as wide as their widest cell.
std::string status_table(const InstanceView& view, TableStyle style);
// One line: to choose by, when several instances run.
std::string instance_line(const InstanceView& view);

// "0.4s" is "0s", "22s", "1m12s", "3h12m", "5d3h".
std::string span_text(Duration span);

size_t ready_count(const InstanceView& view);  // of all pools

}  // namespace weir
