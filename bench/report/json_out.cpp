#include "bench/report/json_out.h"

#include <array>
#include <charconv>
#include <cmath>

namespace weir {

void JsonOut::before_value() {
  if (has_key_) {
    has_key_ = false;
    return;
  }
  if (open_.empty()) return;
  if (!is_first_) out_ += ',';
  const bool is_line = is_open(open_.size()) && open_.back() == '{';
  if (is_line) out_.append("\n").append(open_.size(), ' ');
  if (!is_line && !is_first_) out_ += ' ';
  is_first_ = false;
}

void JsonOut::begin(char bracket) {
  before_value();
  out_ += bracket;
  open_ += bracket;
  is_first_ = true;
}

void JsonOut::end(char bracket) {
  const bool is_line = is_open(open_.size()) && bracket == '}' && !is_first_;
  open_.pop_back();
  if (is_line) out_.append("\n").append(open_.size(), ' ');
  out_ += bracket;
  is_first_ = false;
}

JsonOut& JsonOut::key(std::string_view key) {
  text(key);
  out_ += ": ";
  has_key_ = true;
  return *this;
}

void JsonOut::plain(std::string_view value) {
  before_value();
  out_ += value;
}

void JsonOut::text(std::string_view value) {
  before_value();
  out_ += '"';
  for (const char c : value) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (byte < 0x20 || byte == 0x7F || c == '<' || c == '>' || c == '&') {
      // < > & so that the text may stand in a <script> of a page.
      out_ += "\\u00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

void JsonOut::number(double value) {
  if (std::isnan(value)) return null();
  if (std::isinf(value)) return text(value > 0 ? "inf" : "-inf");
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  plain({digits.data(), static_cast<size_t>(end - digits.data())});
}

}  // namespace weir
