#include "lb/http/body_reader.h"

#include <algorithm>
#include <array>

#include "lb/http/ascii.h"
#include "lb/http/limits.h"

namespace weir::http {
namespace {

constexpr std::array<int8_t, 256> make_hex_table() {
  std::array<int8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    table[c] = static_cast<int8_t>(hex_value(static_cast<char>(c)));
  }
  return table;
}
constexpr std::array<int8_t, 256> kHex = make_hex_table();

}  // namespace

int BodyReader::chunk_digit(char c) {
  return kHex[static_cast<uint8_t>(c)];
}

void BodyReader::start(Framing framing) {
  *this = BodyReader();
  kind_ = framing.kind;
  remaining_ = framing.length;
  switch (framing.kind) {
    case BodyKind::none:
      state_ = State::done;
      break;
    case BodyKind::length:
      state_ = framing.length == 0 ? State::done : State::length;
      break;
    case BodyKind::chunked:
      state_ = State::size_begin;
      remaining_ = 0;
      break;
    case BodyKind::until_close:
      state_ = State::until_close;
      break;
  }
}

BodyReader::Piece BodyReader::next(std::string_view bytes) {
  switch (state_) {
    case State::chunk_data:
    case State::length: {
      if (bytes.empty()) return {PieceKind::more, 0};
      const size_t taken =
          remaining_ < bytes.size() ? static_cast<size_t>(remaining_) : bytes.size();
      remaining_ -= taken;
      if (remaining_ == 0) state_ = state_ == State::length ? State::done : State::data_cr;
      return {PieceKind::data, taken};
    }
    case State::data_cr:
      if (bytes.size() < 2 || bytes[0] != '\r' || bytes[1] != '\n') break;
      state_ = State::size_begin;
      return {PieceKind::framing, 2};
    case State::until_close:
      if (bytes.empty()) break;
      return {PieceKind::data, bytes.size()};
    case State::done:
      return {PieceKind::end, 0};
    case State::bad:
      return {PieceKind::bad, 0};
    default:
      break;
  }
  if (bytes.empty()) return {PieceKind::more, 0};
  return chunked(bytes);
}

// Everything of a chunked body but its data. A piece ends where its kind changes, and at the end of
// each line.
BodyReader::Piece BodyReader::chunked(std::string_view bytes) {
  switch (state_) {
    case State::size_begin:
    case State::size:
      return size_line(bytes);
    case State::extension_blank:
    case State::extension:
      return extension(bytes);
    case State::size_lf:
      return line_end(bytes, 0);
    case State::data_cr:
      if (bytes[0] != '\r') return fail();
      state_ = State::data_lf;
      if (bytes.size() == 1) return {PieceKind::framing, 1};
      return line_end(bytes, 1);
    case State::data_lf:
    case State::end_lf:
      return line_end(bytes, 0);
    default:
      return trailers(bytes);
  }
}

BodyReader::Piece BodyReader::fail() {
  state_ = State::bad;
  return {PieceKind::bad, 0};
}

// The LF at bytes[at] that ends a line of framing; bytes before it belong to the same piece.
BodyReader::Piece BodyReader::line_end(std::string_view bytes, size_t at) {
  if (bytes[at] != '\n') return fail();
  switch (state_) {
    case State::size_lf:
      state_ = remaining_ == 0 ? State::trailer_begin : State::chunk_data;
      break;
    case State::data_lf:
      state_ = State::size_begin;
      break;
    default:
      state_ = State::done;
      break;
  }
  return {PieceKind::framing, at + 1};
}

BodyReader::Piece BodyReader::size_line(std::string_view bytes) {
  size_t digits = 0;
  uint64_t size = 0;
  if (state_ == State::size) {
    digits = digits_;
    size = remaining_;
  }
  const size_t before = digits;
  const size_t room = std::min(bytes.size(), kMaxChunkSizeDigits + 1 - digits);
  size_t at = 0;
  for (; at < room; ++at) {
    const int digit = kHex[static_cast<uint8_t>(bytes[at])];
    if (digit < 0) break;
    size = size << 4 | static_cast<uint64_t>(digit);
  }
  digits = before + at;
  if (digits > kMaxChunkSizeDigits) return fail();
  remaining_ = size;
  if (at + 1 < bytes.size() && bytes[at] == '\r' && bytes[at + 1] == '\n' && digits != 0) {
    state_ = size == 0 ? State::trailer_begin : State::chunk_data;
    return {PieceKind::framing, at + 2};
  }
  return size_line_in_pieces(bytes, at, digits);
}

// The size line goes on in another piece, has an extension, or is not valid.
BodyReader::Piece BodyReader::size_line_in_pieces(std::string_view bytes, size_t at,
                                                  size_t digits) {
  digits_ = static_cast<uint8_t>(digits);
  extension_bytes_ = 0;
  state_ = State::size;
  if (at == bytes.size()) return {PieceKind::framing, at};
  if (digits == 0) return fail();
  if (bytes[at] == '\r') {
    if (at + 1 < bytes.size()) return fail();
    state_ = State::size_lf;
    return {PieceKind::framing, at + 1};
  }
  if (bytes[at] != ';' && !is_blank(bytes[at])) return fail();
  state_ = bytes[at] == ';' ? State::extension : State::extension_blank;
  return at == 0 ? extension(bytes) : Piece{PieceKind::framing, at};
}

// From the first ";" (or the blanks before it) up to the CR.
BodyReader::Piece BodyReader::extension(std::string_view bytes) {
  size_t at = 0;
  for (; at < bytes.size() && bytes[at] != '\r'; ++at) {
    if (state_ == State::extension_blank && bytes[at] == ';') state_ = State::extension;
    const bool is_valid =
        state_ == State::extension ? is_a(kTextChar, bytes[at]) : is_blank(bytes[at]);
    if (!is_valid || ++extension_bytes_ > kMaxChunkExtensionBytes) return fail();
  }
  if (at > 0) return {PieceKind::strip, at};
  if (state_ == State::extension_blank) return fail();  // "5 \r\n"
  state_ = State::size_lf;
  return bytes.size() == 1 ? Piece{PieceKind::framing, 1} : line_end(bytes, 1);
}

BodyReader::Piece BodyReader::trailers(std::string_view bytes) {
  if (state_ == State::trailer_begin && bytes[0] == '\r') {
    state_ = State::end_lf;
    return bytes.size() == 1 ? Piece{PieceKind::framing, 1} : line_end(bytes, 1);
  }
  size_t at = 0;
  for (; at < bytes.size(); ++at) {
    if (state_ == State::trailer_begin && bytes[at] == '\r') break;
    if (++trailer_bytes_ > kMaxTrailerBytes || !trailer_byte(bytes[at])) return fail();
  }
  return {PieceKind::trailer, at};
}

// One byte of trailer lines: NAME ":" value CRLF, no folding. False = not valid.
bool BodyReader::trailer_byte(char c) {
  switch (state_) {
    case State::trailer_begin:
      state_ = State::trailer_name;
      return is_a(kTokenChar, c);
    case State::trailer_name:
      if (c == ':') state_ = State::trailer;
      return c == ':' || is_a(kTokenChar, c);
    case State::trailer:
      if (c == '\r') state_ = State::trailer_lf;
      return c == '\r' || is_a(kTextChar, c);
    default:
      state_ = State::trailer_begin;
      return c == '\n';
  }
}

size_t write_chunk_size(uint64_t size, char* out) {
  size_t digits = 1;
  while (digits < 16 && (size >> (4 * digits)) != 0) ++digits;
  for (size_t i = 0; i < digits; ++i) {
    out[i] = "0123456789abcdef"[size >> (4 * (digits - 1 - i)) & 0xf];
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace weir::http
