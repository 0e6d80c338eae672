#include "lb/http/answer_look.h"

namespace weir::http {
namespace {

std::string_view skip_blanks(std::string_view text) {
  const size_t n = text.find_first_not_of(" \t\r\n");
  return n == std::string_view::npos ? std::string_view{} : text.substr(n);
}

// What stands behind the colon of `"key"`, for its first occurrence in `text`; empty if there is
// none.
std::string_view value_of(std::string_view text, std::string_view quoted_key) {
  for (size_t at = text.find(quoted_key); at != std::string_view::npos;
       at = text.find(quoted_key, at + 1)) {
    const std::string_view rest = skip_blanks(text.substr(at + quoted_key.size()));
    if (rest.starts_with(':')) return skip_blanks(rest.substr(1));
  }
  return {};
}

int64_t number(std::string_view text) {
  int64_t value = -1;
  for (const char c : text.substr(0, 18)) {
    if (c < '0' || c > '9') break;
    value = (value < 0 ? 0 : value) * 10 + (c - '0');
  }
  return value;
}

}  // namespace

AnswerLook look_at_answer(std::string_view json) {
  AnswerLook look;
  constexpr std::string_view kFinish = "\"finish_reason\"";
  std::string_view rest = json;
  for (;;) {  // one for each choice
    const std::string_view value = value_of(rest, kFinish);
    if (value.empty()) break;
    if (value.starts_with("\"abort\"")) look.is_abort = true;
    rest = value;
  }
  // `usage` comes behind the choices in every API; texts in them cannot hold an unescaped quote.
  const std::string_view usage = value_of(json, "\"usage\"");
  look.prompt_tokens = number(value_of(usage, "\"prompt_tokens\""));
  look.completion_tokens = number(value_of(usage, "\"completion_tokens\""));
  return look;
}

bool is_decline(int status, std::string_view json) {
  if (status == 503) return true;
  if (status != 500) return false;
  return json.find("cannot schedule new futures after shutdown") != std::string_view::npos ||
         json.find("EngineCore encountered an issue") != std::string_view::npos;
}

}  // namespace weir::http
