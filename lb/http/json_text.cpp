// JSON strings out of any bytes.

#include <array>

#include "lb/http/ascii.h"
#include "lb/http/error_response.h"

namespace weir::http {
namespace {

// The length of the valid UTF-8 sequence at text[at], or 0 (RFC 3629: no overlong forms, no
// surrogates).
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i])) : 0U;
  };
  const auto is_tail = [&](size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return is_tail(at + 1) ? 2 : 0;
  if ((first & 0xf0U) == 0xe0) {
    const unsigned second = byte(at + 1);
    const bool is_bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f);
    return !is_bad && is_tail(at + 1) && is_tail(at + 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned second = byte(at + 1);
    const bool is_bad = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return !is_bad && is_tail(at + 1) && is_tail(at + 2) && is_tail(at + 3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(char c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) {
    out->push_back(c);
    return;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned>(c);
  out->append("\\u00").push_back(kDigits[value >> 4]);
  out->push_back(kDigits[value & 0xf]);
}

}  // namespace

void append_json_string(std::string_view text, std::string* out) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = sequence_length(text, at);
    if (length == 1) {
      append_escaped(text[at], out);
    } else if (length == 0) {
      out->append("\xef\xbf\xbd");  // U+FFFD
    } else {
      out->append(text.substr(at, length));
    }
    at += length == 0 ? 1 : length;
  }
}

}  // namespace weir::http
