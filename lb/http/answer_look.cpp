#include "lb/http/answer_look.h"

#include <cstring>

#include "lb/http/byte_search.h"

namespace weir::http {
namespace {

std::string_view skip_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\r' ||
                           text.front() == '\n')) {
    text.remove_prefix(1);
  }
  return text;
}

int64_t number(std::string_view text) {
  int64_t value = -1;
  for (const char c : text.substr(0, 18)) {
    if (c < '0' || c > '9') break;
    value = (value < 0 ? 0 : value) * 10 + (c - '0');
  }
  return value;
}

// Calls `visit(at)` for each quote that `a` or `b` follows directly, in order.
template <typename Visit>
void for_each_beginning(std::string_view text, char a, char b, Visit visit) {
  const char* const bytes = text.data();
  size_t at = 0;
#if defined(__SSE2__)
  const auto found = [&](size_t from) {
    const __m128i next = detail::load(bytes + from + 1);
    const __m128i letters = _mm_or_si128(detail::equals(next, a), detail::equals(next, b));
    return _mm_and_si128(letters, detail::equals(detail::load(bytes + from), '"'));
  };
  const auto use = [&](size_t from, uint32_t mask) {
    for (; mask != 0; mask &= mask - 1) visit(from + static_cast<size_t>(std::countr_zero(mask)));
  };
  for (; at + 33 <= text.size(); at += 32) {
    const __m128i low = found(at);
    const __m128i high = found(at + 16);
    if (detail::mask_of(_mm_or_si128(low, high)) == 0) continue;
    use(at, detail::mask_of(low) | detail::mask_of(high) << 16);
  }
  for (; at + 17 <= text.size(); at += 16) use(at, detail::mask_of(found(at)));
#endif
  for (; at + 1 < text.size(); ++at) {
    if (bytes[at] == '"' && (bytes[at + 1] == a || bytes[at + 1] == b)) visit(at);
  }
}

// What stands behind the colon of `"key":`, where the quote before the key is text[at]; empty if
// that is another key, or no key. The length of a literal is known, so nothing is called here.
template <size_t N>
std::string_view value_of(std::string_view text, size_t at, const char (&quoted_key)[N]) {
  text.remove_prefix(at);
  if (text.size() < N || std::memcmp(text.data(), quoted_key, N - 1) != 0) return {};
  text.remove_prefix(N - 1);
  if (text.front() != ':') text = skip_blanks(text);
  if (text.empty() || text.front() != ':') return {};
  text.remove_prefix(1);
  return skip_blanks(text);
}

void look_at_usage(std::string_view usage, AnswerLook* look) {
  bool has_prompt = false;
  bool has_completion = false;
  const auto take = [](std::string_view value, int64_t* into, bool* is_known) {
    if (*is_known || value.empty()) return;
    *is_known = true;
    *into = number(value);
  };
  for_each_beginning(usage, 'p', 'c', [&](size_t at) {
    if (usage[at + 1] == 'p') {
      take(value_of(usage, at, "\"prompt_tokens\""), &look->prompt_tokens, &has_prompt);
    } else {
      take(value_of(usage, at, "\"completion_tokens\""), &look->completion_tokens, &has_completion);
    }
  });
}

}  // namespace

AnswerLook look_at_answer(std::string_view json) {
  AnswerLook look;
  // `usage` comes behind the choices in every API; texts in them cannot hold an unescaped quote.
  std::string_view usage;
  for_each_beginning(json, 'u', 'f', [&](size_t at) {
    if (json[at + 1] == 'u') {
      if (usage.empty()) usage = value_of(json, at, "\"usage\"");
    } else if (value_of(json, at, "\"finish_reason\"").starts_with("\"abort\"")) {
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
