#include "weir/utf8.h"

#include <cstdint>

namespace weir {
namespace {

uint8_t byte_of(char c) {
  return static_cast<uint8_t>(c);
}

}  // namespace

size_t utf8_length(std::string_view text) noexcept {
  const uint8_t lead = byte_of(text.front());
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;  // what the second byte may be
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

}  // namespace weir
