// The reason phrase of each status weir itself answers with (RFC 9110 15, RFC 6585). Pure.
#pragma once

#include <string_view>

namespace weir::http {

/** "Unknown" for a status nobody here sends. */
std::string_view status_reason(int status);

}  // namespace weir::http
