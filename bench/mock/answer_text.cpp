#include "bench/mock/answer_text.h"

#include <array>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 64> kWords{
    " river",  " stone", " over",   " the",    " water", " runs",   " and",     " slow",
    " light",  " under", " a",      " bridge", " with",  " green",  " reeds",   " where",
    " quiet",  " fish",  " turn",   " in",     " deep",  " pools",  " below",   " mill",
    " wheel",  " that",  " grinds", " grain",  " for",   " bread",  " while",   " rain",
    " falls",  " on",    " hills",  " to",     " feed",  " small",  " streams", " which",
    " meet",   " at",    " wide",   " valley", " then",  " spread", " across",  " gravel",
    " before", " they",  " reach",  " sea",    " again", " cold",   " morning", " mist",
    " lifts",  " from",  " banks",  " when",   " sun",   " warms",  " old",     " weir"};

}  // namespace

uint64_t prompt_key(std::string_view prompt) noexcept {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : prompt) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

uint64_t mix(uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string_view answer_word(uint64_t key, uint32_t choice, uint32_t index) noexcept {
  const uint64_t step = 0x9e3779b97f4a7c15 * (uint64_t{index} + 1);
  return kWords[mix(key + choice + step) % kWords.size()];
}

std::string answer_text(uint64_t key, uint32_t choice, uint32_t words) {
  std::string text;
  text.reserve(size_t{words} * 7);
  for (uint32_t i = 0; i < words; ++i) text += answer_word(key, choice, i);
  return text;
}

uint32_t natural_length(uint64_t key) noexcept {
  return 32 + static_cast<uint32_t>(mix(key) % 64);
}

uint32_t count_tokens(std::string_view text) noexcept {
  return static_cast<uint32_t>((text.size() + 3) / 4);
}

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

}  // namespace weir
