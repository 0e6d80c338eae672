// JSON strings out of any bytes.

#include "weir/utf8.h"

#include "lb/http/error_response.h"

namespace weir::http {
namespace {

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
    const size_t length = utf8_length(text.substr(at));
    if (length == 1) {
      append_escaped(text[at], out);
    } else if (length == 0) {
      out->append(kReplacementCharacter);
    } else {
      out->append(text.substr(at, length));
    }
    at += length == 0 ? 1 : length;
  }
}

}  // namespace weir::http
