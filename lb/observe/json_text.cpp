#include "lb/observe/json_text.h"

#include <array>
#include <charconv>
#include <chrono>

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
