// Bytes of HTTP: character classes and comparison without case, independent of the locale. Pure,
// any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::http {

// Classes of a byte, to be combined.
inline constexpr uint8_t kTokenChar = 1;   // RFC 9110 5.6.2
inline constexpr uint8_t kTargetChar = 2;  // of a request target: RFC 3986 without "#"
inline constexpr uint8_t kHostChar = 4;    // of a host name or an IPv4 address
inline constexpr uint8_t kHexChar = 8;
inline constexpr uint8_t kDigitChar = 16;
inline constexpr uint8_t kTextChar = 32;  // of a field value: HT, SP, VCHAR, obs-text

namespace detail {

constexpr uint8_t class_of(unsigned c) {
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool visible = c > 0x20 && c < 0x7f;
  const std::string_view marks = "!#$%&'*+-.^_`|~";
  const std::string_view not_in_target = "#\"<>{}|\\^`";
  const char as_char = static_cast<char>(c);
  unsigned bits = 0;
  if (digit || letter || (visible && marks.find(as_char) != marks.npos)) bits |= kTokenChar;
  if (visible && not_in_target.find(as_char) == not_in_target.npos) bits |= kTargetChar;
  if (digit || letter || c == '-' || c == '.' || c == '_') bits |= kHostChar;
  if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) bits |= kHexChar;
  if (digit) bits |= kDigitChar;
  if (visible || c == ' ' || c == '\t' || c >= 0x80) bits |= kTextChar;
  return static_cast<uint8_t>(bits);
}

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) classes[c] = class_of(c);
  return classes;
}
inline constexpr std::array<uint8_t, 256> kClasses = make_classes();

}  // namespace detail

constexpr bool is_a(uint8_t wanted, char c) {
  return (detail::kClasses[static_cast<uint8_t>(c)] & wanted) != 0;
}

// Not empty and only of that class.
constexpr bool is_all(uint8_t wanted, std::string_view text) {
  for (const char c : text) {
    if (!is_a(wanted, c)) return false;
  }
  return !text.empty();
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// `b` is written in lower case.
constexpr bool equals_lower(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != b[i]) return false;
  }
  return true;
}

constexpr bool equals_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// With a literal: its length is known, so nothing is called.
template <size_t N>
inline bool equals(std::string_view a, const char (&b)[N]) {
  return a.size() == N - 1 && std::memcmp(a.data(), b, N - 1) == 0;
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the next element of a comma-separated list off `list`, without blanks; it may be empty.
// Only while !list.empty().
constexpr std::string_view take_element(std::string_view* list) {
  const size_t comma = list->find(',');
  const std::string_view element = trim(list->substr(0, comma));
  list->remove_prefix(comma == list->npos ? list->size() : comma + 1);
  return element;
}

// 0 to 15, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace weir::http
