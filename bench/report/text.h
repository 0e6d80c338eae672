// Numbers and texts as the outputs write them: rounded, grouped, escaped, without secrets. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

std::string count_text(uint64_t count);               // "12,345"
std::string number_text(double value, int decimals);  // "1,234.56"
std::string ms_text(double ms);                       // three figures: "0.52", "12.3", "1,204"
std::string change_text(double change);               // "+18 %", "-0.4 %"
std::string in_percent(double share);                 // "12.4 %"
std::string seconds_text(double seconds);             // "2m 5s", "12.3 s"
std::string counted(uint64_t count, std::string_view what);  // "1 request", "3 requests"

std::string html_text(std::string_view text);      // for text and quoted attributes of HTML and XML
std::string markdown_text(std::string_view text);  // for a cell of a table
std::string shell_text(const std::vector<std::string>& arguments);

// Without what looks like a key (Bearer ..., sk-..., key=..., user:password@) and without
// `secrets`.
std::string scrubbed(std::string_view text, const std::vector<std::string>& secrets);

}  // namespace weir
