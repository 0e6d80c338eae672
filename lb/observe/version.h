// The version of this program, as built. Any thread.
#pragma once

#include <string_view>

namespace weir {

std::string_view version() noexcept;  // "0.1.0"

}  // namespace weir
