// JSON values written at the end of a string, by hand, for lines on the hot path. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "weir/json_string.h"
#include "weir/timer.h"

namespace weir {

void append_number(std::string& out, int64_t number);
// Milliseconds with microseconds behind the point: "212.400"; a negative span is 0.
void append_milliseconds(std::string& out, Duration span);

}  // namespace weir
