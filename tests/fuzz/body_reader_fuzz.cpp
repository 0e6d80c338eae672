// A chunked body gives the same data and end in any pieces; what is forwarded raw reads back as the
// same data, and has nothing left to strip.
#include "lb/http/body_reader.h"
#include "tests/fuzz/fuzz.h"

using namespace weir::http;
using weir::fuzz::check;

namespace {

using Kind = BodyReader::PieceKind;

struct Body {
  std::string data;
  std::string raw;
  size_t stripped = 0;
  size_t used = 0;
  Kind end = Kind::more;
};

Body read(std::string_view bytes, uint32_t seed) {
  weir::fuzz::Pieces pieces(seed);
  BodyReader reader;
  reader.start({BodyKind::chunked, 0});
  Body body;
  size_t end = 0;
  do {
    end += pieces.next(bytes.size() - end);
    for (;;) {
      const std::string_view rest = bytes.substr(body.used, end - body.used);
      const BodyReader::Piece piece = reader.next(rest);
      check(piece.length <= rest.size(), "a piece lies within the input");
      body.used += piece.length;
      if (piece.kind == Kind::strip || piece.kind == Kind::trailer) {
        body.stripped += piece.length;
      } else {
        body.raw += rest.substr(0, piece.length);
      }
      if (piece.kind == Kind::data) body.data += rest.substr(0, piece.length);
      body.end = piece.kind;
      if (piece.length == 0) break;
    }
  } while (end < bytes.size() && body.end == Kind::more);
  return body;
}

// What is taken for one whole chunk reads as one, and leaves the reader where it was.
void check_whole_chunk(std::string_view bytes) {
  BodyReader reader;
  reader.start({BodyKind::chunked, 0});
  const std::string_view content = reader.whole_chunk(bytes);
  if (content.empty()) return;
  const Body body = read(bytes, 0);
  check(body.data == content && body.stripped == 0, "a whole chunk is its data");
  check(body.end == Kind::more && body.used == bytes.size(), "and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = weir::fuzz::as_text(data, size);
  check_whole_chunk(bytes);
  const Body body = read(bytes, 0);
  for (uint32_t seed = 1; seed < 4; ++seed) {
    const Body other = read(bytes, seed);
    check(other.end == body.end, "pieces do not change the end");
    if (body.end == Kind::bad) continue;
    check(other.data == body.data && other.raw == body.raw && other.used == body.used,
          "pieces do not change the content");
  }
  if (body.end != Kind::end) return 0;
  const Body again = read(body.raw, 0);
  check(again.end == Kind::end && again.used == body.raw.size(), "what is forwarded is whole");
  check(again.data == body.data && again.stripped == 0, "what is forwarded means the same");
  return 0;
}
