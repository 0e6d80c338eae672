// Header rules as people write them: "Name: value" sets, "+Name: value" adds, "-Name" removes.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/result.h"

#include "lb/config/config.h"

namespace weir {

// Names that frame messages or belong to one hop (Content-Length, Connection, …) are refused: weir
// writes those itself.
Result<HeaderRule, Problem> parse_header_rule(std::string_view text);
std::string to_string(const HeaderRule& rule);

}  // namespace weir
