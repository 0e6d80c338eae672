// Finds the end of a head in bytes that arrive in pieces, and is the strict validator in front of
// llhttp: every CR is followed by LF, every LF preceded by CR, no line begins with a blank, no
// control character but HT, so that bare CR, bare LF, folding and NUL are impossible whatever the
// parser's version. No I/O. One object a connection, reset for each head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lb/http/limits.h"

namespace weir::http {

enum class HeadState : uint8_t { incomplete, complete, bad, too_large };

class HeadScanner {
 public:
  // `bytes` = all bytes of this head so far, from its first on (the same ones as before, and more).
  // Looks only at new ones. Empty lines before a request line must have been skipped by the caller
  // (skip_empty_lines before every scan that finds head_length() still 0; here they are bad). `bad`
  // and `too_large` stay until reset().
  HeadState scan(std::string_view bytes, size_t limit);
  size_t head_length() const { return position_; }  // when complete: with the empty line
  void reset();

 private:
  void skip_blocks(const char* bytes, size_t end);
  bool pass_line_end(const char* bytes, size_t cr);

  size_t position_ = 0;  // looked at so far
  size_t line_begin_ = 0;
  bool after_cr_ = false;
};

// How many bytes of CRLF at the front may be skipped before a request line (RFC 9112 2.2). Any
// number, so that it does not matter in which pieces they come; the deadline for a head ends an
// endless row of them.
size_t skip_empty_lines(std::string_view bytes);

}  // namespace weir::http
