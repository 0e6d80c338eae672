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

std::string looks(std::string_view bytes, uint32_t seed) {
  weir::fuzz::Pieces pieces(seed);
  EventScanner scanner;
  std::string out;
  size_t at = 0;
  for (size_t end = 0; end < bytes.size(); at = end) {
    end += pieces.next(bytes.size() - end);
    while (at < end) {
      const size_t length = scanner.next_event_end(bytes.substr(at, end - at));
      if (length == EventScanner::kNone) break;
      check(length > 0 && length <= end - at, "an event ends within its piece");
      check(scanner.is_at_event_boundary(), "behind an event is a boundary");
      append(scanner.look(), &out);
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
  return 0;
}
