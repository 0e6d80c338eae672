// The style and the script of the HTML report: bench/report/page/, put into the binary by CMake.
// Constants, any thread.
#pragma once

#include <string_view>

namespace weir {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace weir
