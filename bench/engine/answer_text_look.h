// Small looks into the JSON of answers without parsing it. A quote inside a JSON string is escaped,
// so a key found with its quotes is structure. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// The string behind `"key":`, still escaped, of its first occurrence; nullptr data if there is none
// or it is no string.
std::string_view json_string_of(std::string_view json, std::string_view key);
// The number behind `"key":`; -1 if there is none.
int64_t json_number_of(std::string_view json, std::string_view key);

// `message` of an error answer or event, else its beginning; one line, at most 200 bytes.
std::string error_message(std::string_view json);

// Does an event with text have some that is not reasoning?
bool has_content(std::string_view event);
// The content of an event, escaped; empty if there is none.
std::string_view content_of(std::string_view event);

}  // namespace weir
