// Where the usual text of a head ends, 16 bytes a step where SSE2 is there. Pure; part of
// HeadParser, not for others.
#pragma once

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

namespace weir::http {

#if defined(__SSE2__)
inline constexpr bool kHasBlocks = true;

namespace detail {

// All but visible ASCII and the blank (so also a tab), of 16 bytes.
inline uint32_t unusual_in(__m128i block) {
  const __m128i next = _mm_add_epi8(block, _mm_set1_epi8(1));  // 0x7f becomes the least of all
  return ~mask_of(_mm_cmpgt_epi8(next, _mm_set1_epi8(0x20))) & 0xffff;
}

// What is no kTargetChar, and "?", of 16 bytes.
inline uint32_t path_ends_in(__m128i block) {
  const __m128i without_1 = _mm_andnot_si128(_mm_set1_epi8(1), block);
  const __m128i without_2 = _mm_andnot_si128(_mm_set1_epi8(2), block);
  const __m128i is_quote = equals(without_1, '"');   // and #
  const __m128i is_angle = equals(without_2, '<');   // and >
  const __m128i is_slant = equals(without_2, '\\');  // and ^
  const __m128i is_brace =
      _mm_andnot_si128(equals(block, '~'), _mm_cmpgt_epi8(block, _mm_set1_epi8('z')));
  const __m128i is_mark = _mm_or_si128(equals(block, '`'), equals(block, '?'));
  const __m128i is_out = _mm_cmplt_epi8(block, _mm_set1_epi8('!'));  // so are bytes above 0x7f
  const __m128i is_pair = _mm_or_si128(_mm_or_si128(is_quote, is_angle), is_slant);
  return mask_of(_mm_or_si128(_mm_or_si128(is_pair, is_brace), _mm_or_si128(is_mark, is_out)));
}

}  // namespace detail
#else
inline constexpr bool kHasBlocks = false;
#endif

// The first byte in [at, end) that is neither visible ASCII nor a blank, or end.
inline const char* find_unusual(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const uint32_t mask = detail::unusual_in(detail::load(at));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at < end && *at >= ' ' && *at < 0x7f) ++at;
  return at;
}

// The end of the path that begins at `at`: a "?", or what no target may have, or end.
inline const char* find_path_end(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const uint32_t mask = detail::path_ends_in(detail::load(at));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at < end && is_a(kTargetChar, *at) && *at != '?') ++at;
  return at;
}

}  // namespace weir::http
