#include "bench/engine/answer_text_look.h"

#include <algorithm>

namespace weir {
namespace {

constexpr size_t kLongestMessage = 200;

// What stands behind the colon of `"key"`; nullptr data if there is none.
std::string_view value_of(std::string_view json, std::string_view key) {
  for (size_t at = json.find(key); at != json.npos; at = json.find(key, at + 1)) {
    const size_t end = at + key.size();
    if (at == 0 || json[at - 1] != '"' || end >= json.size() || json[end] != '"') continue;
    const size_t colon = json.find_first_not_of(" \t\r\n", end + 1);
    if (colon == json.npos || json[colon] != ':') continue;
    const size_t value = json.find_first_not_of(" \t\r\n", colon + 1);
    if (value != json.npos) return json.substr(value);
  }
  return {};
}

}  // namespace

std::string_view json_string_of(std::string_view json, std::string_view key) {
  const std::string_view value = value_of(json, key);
  if (!value.starts_with('"')) return {};
  size_t end = 1;
  while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
  if (end >= value.size()) return {};
  return value.substr(1, end - 1);
}

int64_t json_number_of(std::string_view json, std::string_view key) {
  const std::string_view value = value_of(json, key);
  int64_t number = -1;
  for (const char c : value.substr(0, 18)) {
    if (c < '0' || c > '9') break;
    number = (number < 0 ? 0 : number) * 10 + (c - '0');
  }
  return number;
}

std::string error_message(std::string_view json) {
  std::string_view message = json_string_of(json, "message");
  if (message.data() == nullptr) message = json_string_of(json, "error");
  if (message.data() == nullptr) message = json_string_of(json, "detail");
  if (message.data() == nullptr) message = json;
  std::string line(message.substr(0, kLongestMessage));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line;
}

std::string_view content_of(std::string_view event) {
  const std::string_view content = json_string_of(event, "content");
  return content.empty() ? json_string_of(event, "text") : content;
}

bool has_content(std::string_view event) {
  if (!content_of(event).empty()) return true;
  return json_string_of(event, "reasoning").empty() &&
         json_string_of(event, "reasoning_content").empty();
}

}  // namespace weir
