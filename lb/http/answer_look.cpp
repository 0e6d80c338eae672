#include "lb/http/answer_look.h"

#include <cstring>

#include "lb/http/byte_search.h"

namespace weir::http {
namespace {

std::string_view skip_blanks(std::string_view text) {
  size_t at = 0;
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) {
    ++at;
  }
  return text.substr(at);
}

int64_t number(std::string_view text) {
  int64_t value = -1;
  for (const char c : text.substr(0, 18)) {
    if (c < '0' || c > '9') break;
    value = (value < 0 ? 0 : value) * 10 + (c - '0');
  }
  return value;
}

// What stands behind the colon of `"key":`, where the last letter of the key is text[at]; empty if
// that is another key, or no key. The length of a literal is known, so nothing is called here.
template <size_t N>
std::string_view value_of(std::string_view text, size_t at, const char (&key)[N]) {
  constexpr size_t kLength = N - 1;
  if (at < kLength || text[at - kLength] != '"') return {};
  if (std::memcmp(text.data() + at + 1 - kLength, key, kLength) != 0) return {};
  const std::string_view rest = skip_blanks(text.substr(at + 2));
  return rest.starts_with(':') ? skip_blanks(rest.substr(1)) : std::string_view();
}

void look_at_usage(std::string_view usage, AnswerLook* look) {
  bool has_prompt = false;
  bool has_completion = false;
  const auto take = [](std::string_view value, int64_t* into, bool* is_known) {
    if (*is_known || value.empty()) return;
    *is_known = true;
    *into = number(value);
  };
  for_each_ending(usage, 's', 's', 0, [&](size_t at) {
    take(value_of(usage, at, "prompt_tokens"), &look->prompt_tokens, &has_prompt);
    take(value_of(usage, at, "completion_tokens"), &look->completion_tokens, &has_completion);
  });
}

}  // namespace

AnswerLook look_at_answer(std::string_view json) {
  AnswerLook look;
  // `usage` comes behind the choices in every API; texts in them cannot hold an unescaped quote.
  std::string_view usage;
  for_each_ending(json, 'n', 'e', 0, [&](size_t at) {
    if (json[at] == 'e') {
      if (usage.empty()) usage = value_of(json, at, "usage");
    } else if (value_of(json, at, "finish_reason").starts_with("\"abort\"")) {
      look.is_abort = true;  // one for each choice
    }
  });
  look_at_usage(usage, &look);
  return look;
}

bool is_decline(int status, std::string_view json) {
  if (status == 503) return true;
  if (status != 500) return false;
  return json.find("cannot schedule new futures after shutdown") != std::string_view::npos ||
         json.find("EngineCore encountered an issue") != std::string_view::npos;
}

}  // namespace weir::http
