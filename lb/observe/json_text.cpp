#include "lb/observe/json_text.h"

#include <array>
#include <charconv>
#include <chrono>

namespace weir {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kHex = "0123456789abcdef";

uint8_t byte_of(char c) {
  return static_cast<uint8_t>(c);
}

// The length of the well-formed UTF-8 character at the front (RFC 3629: no overlong forms, no
// surrogates), 0 if there is none.
size_t character_length(std::string_view text) {
  const uint8_t lead = byte_of(text.front());
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length) return 0;
  if (byte_of(text[1]) < low || byte_of(text[1]) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte_of(text[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
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
    const size_t length = character_length(text.substr(i));
    if (i + (length == 0 ? 1 : length) > most) return;
    if (length == 0) {
      out += kReplacement;
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

void append_number(std::string& out, int64_t number) {
  std::array<char, 24> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc()) out.append(digits.data(), end);
}

void append_milliseconds(std::string& out, Duration span) {
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  const int64_t positive = micros < 0 ? 0 : micros;
  append_number(out, positive / 1000);
  const int64_t rest = positive % 1000;
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

}  // namespace weir
