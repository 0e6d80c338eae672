#include "lb/http/head_scanner.h"

#include <algorithm>

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

namespace weir::http {

// Stands at the end of a line whose CR is at `cr`, with two more bytes behind its LF at hand.
// False: the head is over, or bad; the slow way, which goes on here, says which.
bool HeadScanner::pass_line_end(const char* bytes, size_t cr) {
  position_ = cr;
  if (bytes[cr] != '\r' || bytes[cr + 1] != '\n' || cr == line_begin_) return false;
  line_begin_ = position_ = cr + 2;
  return !is_blank(bytes[position_]);
}

// As many whole blocks as there are, if nothing is wrong in them.
void HeadScanner::skip_blocks([[maybe_unused]] const char* bytes, [[maybe_unused]] size_t end) {
#if defined(__SSE2__)
  constexpr size_t kBlock = 16;
  size_t at = position_;
  while (at + kBlock + 3 <= end) {
    uint32_t mask = detail::controls_in(detail::load(bytes + at));
    size_t next = at + kBlock;
    for (; mask != 0; mask &= mask - 1) {
      const size_t cr = at + static_cast<size_t>(std::countr_zero(mask));
      if (!pass_line_end(bytes, cr)) return;
      mask &= mask - 1;  // now without the CR; the loop takes off the LF, if it is in this block
      next = std::max(next, cr + 2);
    }
    at = next;
  }
  position_ = at;
#endif
}

HeadState HeadScanner::scan(std::string_view bytes, size_t limit) {
  const size_t end = std::min(bytes.size(), limit);
  const bool is_mid_line = !after_cr_ && position_ > line_begin_;
  if (is_mid_line || (position_ == 0 && end > 0 && !is_blank(bytes[0]))) {
    skip_blocks(bytes.data(), end);
  }
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
    const char* const begin = bytes.data();
    position_ = static_cast<size_t>(find_control(begin + position_, begin + end) - begin);
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
  while (bytes.size() - length >= 2 && bytes[length] == '\r' && bytes[length + 1] == '\n') {
    length += 2;
  }
  return length;
}

}  // namespace weir::http
