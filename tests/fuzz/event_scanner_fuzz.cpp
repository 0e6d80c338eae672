// Events are the same ones, and look the same, in whatever pieces they arrive.
#include "lb/http/event_scanner.h"
#include "tests/fuzz/fuzz.h"

using weir::fuzz::check;
using weir::http::EventLook;
using weir::http::EventScanner;

namespace {

void append(const EventLook& look, std::string* out) {
  for (const bool is : {look.has_data, look.is_done, look.is_error, look.is_abort, look.has_finish,
                        look.has_text}) {
    out->push_back(is ? '1' : '0');
  }
  *out +=
      "," + std::to_string(look.prompt_tokens) + "," + std::to_string(look.completion_tokens) + ";";
}

constexpr EventScanner::Depth kDeep = EventScanner::Depth::with_text;
constexpr EventScanner::Depth kFlat = EventScanner::Depth::without_text;

// With `shows_text` false what only a deep look finds is left out.
std::string looks(std::string_view bytes, uint32_t seed, EventScanner::Depth depth = kDeep,
                  bool shows_text = true) {
  weir::fuzz::Pieces pieces(seed);
  EventScanner scanner(depth);
  std::string out;
  size_t at = 0;
  for (size_t end = 0; end < bytes.size(); at = end) {
    end += pieces.next(bytes.size() - end);
    while (at < end) {
      const size_t length = scanner.next_event_end(bytes.substr(at, end - at));
      if (length == EventScanner::kNone) break;
      check(length > 0 && length <= end - at, "an event ends within its piece");
      check(scanner.is_at_event_boundary(), "behind an event is a boundary");
      EventLook look = scanner.look();
      look.has_text &= shows_text;
      append(look, &out);
      at += length;
    }
  }
  out += scanner.is_at_event_boundary() ? '|' : '.';
  return out.append(scanner.is_at_event_boundary() ? scanner.finish_reason() : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = weir::fuzz::as_text(data, size);
  const std::string expected = looks(bytes, 0);
  for (uint32_t seed = 1; seed < 4; ++seed) {
    check(looks(bytes, seed) == expected, "pieces do not matter");
  }
  const std::string textless = looks(bytes, 0, kDeep, false);
  for (uint32_t seed = 0; seed < 3; ++seed) {
    check(looks(bytes, seed, kFlat) == textless, "a light look sees the same, but for text");
  }
  return 0;
}
