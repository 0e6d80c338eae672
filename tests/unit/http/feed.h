// Feeds bytes to HeadScanner, HeadParser and BodyReader whole, byte by byte and in random pieces,
// and says in one word what came of it: "ok", "incomplete" or the name of an ErrorKind. For tests
// only.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lb/http/body_reader.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"

namespace weir::http {

// Ends of pieces within [0, size], increasing, the last one = size.
using Cuts = std::vector<size_t>;

inline Cuts whole(size_t size) {
  return {size};
}

inline Cuts bytewise(size_t size) {
  Cuts cuts;
  for (size_t i = 1; i <= size; ++i) cuts.push_back(i);
  return cuts;
}

inline Cuts random_cuts(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Cuts cuts;
  for (size_t at = 0; at < size;) {
    at += 1 + random() % (random() % 4 == 0 ? 64 : 7);
    cuts.push_back(at < size ? at : size);
  }
  if (cuts.empty()) cuts.push_back(size);
  return cuts;
}

// Whole, byte by byte, and some random ways.
inline std::vector<Cuts> all_cuts(size_t size) {
  std::vector<Cuts> ways{whole(size), bytewise(size)};
  for (uint32_t seed = 1; seed <= 6; ++seed) ways.push_back(random_cuts(size, seed));
  return ways;
}

struct ScannedHead {
  HeadState state = HeadState::incomplete;
  std::string_view head;
};

inline ScannedHead scan_head(std::string_view bytes, const Cuts& cuts, size_t limit = 32 * 1024) {
  HeadScanner scanner;
  ScannedHead result;
  size_t skipped = 0;
  for (const size_t end : cuts) {
    if (scanner.head_length() == 0)
      skipped += skip_empty_lines(bytes.substr(skipped, end - skipped));
    result.state = scanner.scan(bytes.substr(skipped, end - skipped), limit);
    if (result.state != HeadState::incomplete) break;
  }
  result.head = bytes.substr(skipped, scanner.head_length());
  return result;
}

inline std::string word_of(HeadState state, ErrorKind bad) {
  switch (state) {
    case HeadState::incomplete:
      return "incomplete";
    case HeadState::bad:
      return std::string(name(bad));
    case HeadState::too_large:
      return "head_too_large";
    case HeadState::complete:
      return "ok";
  }
  return "?";
}

inline std::string judge_request(std::string_view bytes, const Cuts& cuts, HeadParser* parser,
                                 const HeadLimits& limits = {}) {
  const ScannedHead scanned = scan_head(bytes, cuts, limits.head_bytes);
  if (scanned.state != HeadState::complete) return word_of(scanned.state, ErrorKind::bad_request);
  const auto head = parser->parse_request(scanned.head, limits);
  return head ? "ok" : std::string(name(head.error().kind));
}

inline std::string judge_response(std::string_view bytes, const Cuts& cuts, HeadParser* parser,
                                  Method method = Method::post, bool asked_upgrade = false) {
  const ScannedHead scanned = scan_head(bytes, cuts);
  if (scanned.state != HeadState::complete) return word_of(scanned.state, ErrorKind::bad_response);
  const auto head = parser->parse_response(scanned.head, method, asked_upgrade, {});
  return head ? "ok" : std::string(name(head.error().kind));
}

// What a body came to.
struct ReadBody {
  std::string data;     // content
  std::string framing;  // with the data in place: what is forwarded raw
  std::string end;      // "end", "bad", "more"
  size_t used = 0;      // bytes of the input that belong to the message
};

inline ReadBody read_body(std::string_view bytes, Framing framing, const Cuts& cuts) {
  using Kind = BodyReader::PieceKind;
  BodyReader reader;
  reader.start(framing);
  ReadBody body;
  for (const size_t end : cuts) {
    for (;;) {
      const std::string_view rest = bytes.substr(body.used, end - body.used);
      const BodyReader::Piece piece = reader.next(rest);
      if (piece.kind == Kind::data) body.data += rest.substr(0, piece.length);
      const bool is_kept = piece.kind != Kind::strip && piece.kind != Kind::trailer;
      if (is_kept) body.framing += rest.substr(0, piece.length);
      body.used += piece.length;
      body.end = piece.kind == Kind::end ? "end" : piece.kind == Kind::bad ? "bad" : "more";
      if (piece.length == 0) break;
    }
    if (body.end != "more") break;
  }
  return body;
}

}  // namespace weir::http
