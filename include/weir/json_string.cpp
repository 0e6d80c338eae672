#include "weir/json_string.h"

#include <cstdint>

#include "weir/utf8.h"

namespace weir {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

uint8_t byte_of(char c) {
  return static_cast<uint8_t>(c);
}

bool is_control(char c) {
  return byte_of(c) < 0x20 || byte_of(c) == 0x7F;
}

void append_control(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[byte_of(c) >> 4];
  out += kHex[byte_of(c) & 15];
}

void append_escaped(std::string& out, std::string_view text, size_t most, bool is_json) {
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const size_t length = utf8_length(text.substr(i));
    if (i + (length == 0 ? 1 : length) > most) return;
    if (length == 0) {
      out += kReplacementCharacter;
    } else if (is_control(c)) {
      append_control(out, c);
    } else {
      if (is_json && (c == '"' || c == '\\')) out += '\\';
      out += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, size_t most) {
  out += '"';
  append_escaped(out, text, most, true);
  out += '"';
}

void append_plain_text(std::string& out, std::string_view text, size_t most) {
  append_escaped(out, text, most, false);
}

}  // namespace weir
