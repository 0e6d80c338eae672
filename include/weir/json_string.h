// Text from outside in lines that others read: escaped and cut, and bytes that are not UTF-8 become
// U+FFFD, so what is written is valid whatever a client sent. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

inline constexpr size_t kNoCut = ~size_t{0};

// A JSON string, with quotes; of `text` at most `most` bytes (whole characters).
void append_json_string(std::string& out, std::string_view text, size_t most = kNoCut);

// Without quotes and with what a terminal would obey made visible: for log lines.
void append_plain_text(std::string& out, std::string_view text, size_t most = kNoCut);

}  // namespace weir
