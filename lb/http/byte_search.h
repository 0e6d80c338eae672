// Searches for a few byte values at once, 16 bytes a step where SSE2 is there. Pure, any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {

#if defined(__SSE2__)
namespace detail {

inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline __m128i equals(__m128i block, char c) {
  return _mm_cmpeq_epi8(block, _mm_set1_epi8(c));
}
inline uint32_t mask_of(__m128i found) {
  return static_cast<uint32_t>(_mm_movemask_epi8(found));
}
// Control characters but HT, of 16 bytes.
inline uint32_t controls_in(__m128i block) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  return mask_of(_mm_or_si128(_mm_andnot_si128(equals(block, '\t'), low), equals(block, 0x7f)));
}

}  // namespace detail
#endif

constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// The first control character other than HT in [at, end), or end.
inline const char* find_control(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const uint32_t mask = detail::controls_in(detail::load(at));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at < end && !is_control(*at)) ++at;
  return at;
}

// The first `a` or `b` from `at` on, or text.size().
inline size_t find_either(std::string_view text, char a, char b, size_t at) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  const auto found = [&](size_t from) {
    const __m128i block = detail::load(bytes + from);
    return _mm_or_si128(detail::equals(block, a), detail::equals(block, b));
  };
  for (; at + 32 <= text.size(); at += 32) {
    if (detail::mask_of(_mm_or_si128(found(at), found(at + 16))) != 0) break;
  }
  for (; at + 16 <= text.size(); at += 16) {
    const uint32_t mask = detail::mask_of(found(at));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
  }
  if (at < text.size() && text.size() >= 16) {
    const size_t from = text.size() - 16;  // over bytes that were looked at
    const uint32_t mask = detail::mask_of(found(from)) >> (at - from);
    return mask != 0 ? at + static_cast<size_t>(std::countr_zero(mask)) : text.size();
  }
#endif
  while (at < text.size() && bytes[at] != a && bytes[at] != b) ++at;
  return at;
}

// Calls `visit(at)` for each `a` that `b` follows directly, in order, from `at` on.
template <typename Visit>
inline void for_each_pair(std::string_view text, char a, char b, size_t at, Visit visit) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  const auto found = [&](size_t from) {
    return detail::mask_of(_mm_and_si128(detail::equals(detail::load(bytes + from), a),
                                         detail::equals(detail::load(bytes + from + 1), b)));
  };
  while (at + 1 < text.size() && text.size() >= 17) {
    // The last block reaches back over bytes that were looked at.
    const size_t from = at + 17 <= text.size() ? at : text.size() - 17;
    uint32_t mask = found(from) & (~uint32_t{0} << (at - from));
    for (; mask != 0; mask &= mask - 1) visit(from + static_cast<size_t>(std::countr_zero(mask)));
    at = from + 16;
  }
#endif
  for (; at + 1 < text.size(); ++at) {
    if (bytes[at] == a && bytes[at + 1] == b) visit(at);
  }
}

// Calls `visit(at)` for each `a` or `b` that a quote follows directly, in order, from `at` on.
template <typename Visit>
inline void for_each_ending(std::string_view text, char a, char b, size_t at, Visit visit) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  const auto found = [&](size_t from) {
    const __m128i block = detail::load(bytes + from);
    const __m128i letters = _mm_or_si128(detail::equals(block, a), detail::equals(block, b));
    return _mm_and_si128(letters, detail::equals(detail::load(bytes + from + 1), '"'));
  };
  while (at + 1 < text.size() && text.size() >= 17) {
    for (; at + 33 <= text.size(); at += 32) {
      if (detail::mask_of(_mm_or_si128(found(at), found(at + 16))) != 0) break;
    }
    // The last block reaches back over bytes that were looked at.
    const size_t from = at + 17 <= text.size() ? at : text.size() - 17;
    uint32_t mask = detail::mask_of(found(from)) & (~uint32_t{0} << (at - from));
    for (; mask != 0; mask &= mask - 1) visit(from + static_cast<size_t>(std::countr_zero(mask)));
    at = from + 16;
  }
#endif
  for (; at + 1 < text.size(); ++at) {
    if ((bytes[at] == a || bytes[at] == b) && bytes[at + 1] == '"') visit(at);
  }
}

// Calls `visit(at)` for each `mark`, in order, from `at` on up to the first control character up to
// CR, whose place is returned; text.size() if there is none. `mark` is none itself.
template <typename Visit>
inline size_t for_each_mark_of_line(std::string_view text, char mark, size_t at, Visit visit) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  // Zero where there is one of either.
  const auto look = [&](size_t from) {
    const __m128i block = detail::load(bytes + from);
    return _mm_min_epu8(_mm_xor_si128(block, _mm_set1_epi8(mark)),
                        _mm_subs_epu8(block, _mm_set1_epi8('\r')));
  };
  const auto places = [](__m128i found) -> uint64_t {
    return detail::mask_of(_mm_cmpeq_epi8(found, _mm_setzero_si128()));
  };
  // False when the line ends there: then `at` is its end.
  const auto use = [&](size_t from, uint64_t found) {
    for (; found != 0; found &= found - 1) {
      const size_t place = from + static_cast<size_t>(std::countr_zero(found));
      if (bytes[place] != mark) {
        at = place;
        return false;
      }
      visit(place);
    }
    return true;
  };
  for (; at + 64 <= text.size(); at += 64) {
    const __m128i a = look(at);
    const __m128i b = look(at + 16);
    const __m128i c = look(at + 32);
    const __m128i d = look(at + 48);
    if (places(_mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d))) == 0) continue;
    if (!use(at, places(a) | places(b) << 16 | places(c) << 32 | places(d) << 48)) return at;
  }
  for (; at + 16 <= text.size(); at += 16) {
    if (!use(at, places(look(at)))) return at;
  }
  if (at < text.size() && text.size() >= 16) {
    const size_t from = text.size() - 16;  // over bytes that were looked at
    if (!use(at, places(look(from)) >> (at - from))) return at;
    return text.size();
  }
#endif
  for (; at < text.size() && static_cast<unsigned char>(bytes[at]) > '\r'; ++at) {
    if (bytes[at] == mark) visit(at);
  }
  return at;
}

// The first quote, brace or bracket from `at` on, or text.size().
inline size_t find_json_mark(std::string_view text, size_t at) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = detail::load(bytes + at);
    const __m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));  // [ to {, ] to }
    const __m128i braces = _mm_or_si128(detail::equals(folded, '{'), detail::equals(folded, '}'));
    const uint32_t mask = detail::mask_of(_mm_or_si128(braces, detail::equals(block, '"')));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
  }
#endif
  for (; at < text.size(); ++at) {
    const char c = bytes[at];
    const char folded = static_cast<char>(c | 0x20);
    if (c == '"' || folded == '{' || folded == '}') break;
  }
  return at;
}

}  // namespace weir::http
