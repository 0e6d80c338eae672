// Walks a body of any framing and says what its bytes are, so that they can be forwarded raw: our
// own machine for Content-Length and chunked (60 instructions a chunk against llhttp's 217). No
// I/O, no copies. One a message, by value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lb/http/message_head.h"

namespace weir::http {

class BodyReader {
 public:
  enum class PieceKind : uint8_t {
    data,     // content
    framing,  // chunk lines and the like: forward raw with the data, or drop when re-framing
    strip,    // chunk extensions: never forwarded
    trailer,  // bytes of trailer lines: for a TrailerFilter, or not forwarded
    end,      // the message is over; length 0
    bad,      // not valid; length 0; nothing after it can be trusted
    more,     // all bytes are used up; length 0
  };
  struct Piece {
    PieceKind kind;
    size_t length;  // bytes of the input this piece covers, from its front
  };

  void start(Framing framing);
  // The piece at the front of `bytes`. Call again with the rest until it says end, bad or more.
  // After `end` the remaining bytes belong to the next message.
  Piece next(std::string_view bytes);

  // The content when `bytes` are exactly one chunk, its framing included, and one may begin here:
  // what next() would say in four calls, and the most frequent read of a stream. Else empty, and
  // nothing is changed.
  std::string_view whole_chunk(std::string_view bytes) const {
    if (state_ != State::size_begin || bytes.size() < 6 || bytes.size() > kMostWhole) return {};
    size_t at = 0;
    size_t size = 0;
    for (int digit = 0; at < 4 && (digit = chunk_digit(bytes[at])) >= 0; ++at) {
      size = size << 4 | static_cast<size_t>(digit);
    }
    const char* const p = bytes.data() + at;
    const bool is_whole = size != 0 && size + at + 4 == bytes.size() && p[0] == '\r' &&
                          p[1] == '\n' && p[size + 2] == '\r' && p[size + 3] == '\n';
    return is_whole ? std::string_view(p + 2, size) : std::string_view();
  }

  // So much of a body of known length went elsewhere: at most what remains.
  void skip(size_t bytes) {
    remaining_ -= bytes;
    if (remaining_ == 0) state_ = State::done;
  }

  bool is_done() const { return state_ == State::done; }
  // The other side closed: is the message complete? Only an until_close body may end that way, or
  // one that is_done().
  bool ends_well_at_close() const { return is_done() || state_ == State::until_close; }
  // At a place where a whole chunk of our own could be put in: between chunks of a chunked body.
  bool is_at_chunk_boundary() const { return state_ == State::size_begin; }
  BodyKind kind() const { return kind_; }
  uint64_t remaining() const {
    return remaining_;
  }  // of the content-length body, or of the current chunk

 private:
  static constexpr size_t kMostWhole = 0xffff + 8;
  static int chunk_digit(char c);

  enum class State : uint8_t {
    length,
    until_close,
    size_begin,
    size,
    extension_blank,
    extension,
    size_lf,
    chunk_data,
    data_cr,
    data_lf,
    trailer_begin,
    trailer_name,
    trailer,
    trailer_lf,
    end_lf,
    done,
    bad,
  };
  Piece chunked(std::string_view bytes);
  Piece size_line(std::string_view bytes);
  Piece size_line_in_pieces(std::string_view bytes, size_t at, size_t digits);
  Piece extension(std::string_view bytes);
  Piece trailers(std::string_view bytes);
  Piece line_end(std::string_view bytes, size_t at);
  Piece fail();
  bool trailer_byte(char c);

  State state_ = State::done;
  BodyKind kind_ = BodyKind::none;
  uint8_t digits_ = 0;
  uint16_t extension_bytes_ = 0;
  uint16_t trailer_bytes_ = 0;
  uint64_t remaining_ = 0;
};

// "1a2\r\n" for a chunk of our own; returns its length. `out` has room for 18 bytes.
size_t write_chunk_size(uint64_t size, char* out);

}  // namespace weir::http
