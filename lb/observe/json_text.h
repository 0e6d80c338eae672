// JSON values written at the end of a string, by hand, for lines on the hot path. What comes from
// outside is escaped and cut, and bytes that are not UTF-8 become U+FFFD, so the line is valid JSON
// whatever a client sent. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/timer.h"

namespace weir {

inline constexpr size_t kNoCut = ~size_t{0};

// With quotes; of `text` at most `most` bytes (whole characters).
void append_json_string(std::string& out, std::string_view text, size_t most = kNoCut);
void append_number(std::string& out, int64_t number);
// Milliseconds with microseconds behind the point: "212.400"; a negative span is 0.
void append_milliseconds(std::string& out, Duration span);

// Like append_json_string, without quotes and with what a terminal would obey made visible: for log
// lines.
void append_plain_text(std::string& out, std::string_view text, size_t most = kNoCut);

}  // namespace weir
