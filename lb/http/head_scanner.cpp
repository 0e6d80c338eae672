#include "lb/http/head_scanner.h"

#include <algorithm>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// The first control character other than HT in [at, end), or end.
size_t find_control(std::string_view bytes, size_t at, size_t end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  while (end - at >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block);
    const __m128i found =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(block, tab), low), _mm_cmpeq_epi8(block, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
    at += 16;
  }
#endif
  while (at < end && !is_control(bytes[at])) ++at;
  return at;
}

}  // namespace

HeadState HeadScanner::scan(std::string_view bytes, size_t limit) {
  const size_t end = std::min(bytes.size(), limit);
  while (position_ < end) {
    if (after_cr_) {
      if (bytes[position_] != '\n') return HeadState::bad;
      const bool is_empty_line = position_ == line_begin_ + 1;
      if (is_empty_line && line_begin_ == 0) return HeadState::bad;
      after_cr_ = false;
      line_begin_ = ++position_;
      if (is_empty_line) return HeadState::complete;
      continue;
    }
    if (position_ == line_begin_ && (bytes[position_] == ' ' || bytes[position_] == '\t')) {
      return HeadState::bad;
    }
    position_ = find_control(bytes, position_, end);
    if (position_ == end) break;
    if (bytes[position_] != '\r') return HeadState::bad;
    // A CR that comes alone as the first byte may become an empty line, which is the caller's to
    // skip.
    if (position_ == 0 && bytes.size() == 1) return HeadState::incomplete;
    after_cr_ = true;
    ++position_;
  }
  return end >= limit ? HeadState::too_large : HeadState::incomplete;
}

void HeadScanner::reset() {
  *this = HeadScanner();
}

size_t skip_empty_lines(std::string_view bytes) {
  size_t length = 0;
  while (bytes.substr(length).starts_with("\r\n")) length += 2;
  return length;
}

}  // namespace weir::http
