// UTF-8 out of bytes that anybody may have sent. Pure, any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// The length of the well-formed character at the front of `text`, which is not empty; 0 if there is
// none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t utf8_length(std::string_view text) noexcept;

}  // namespace weir
