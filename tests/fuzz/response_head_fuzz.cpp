// A response head that is taken is rewritten to one that is taken again, with the same status and
// body.
#include "lb/http/head_parser.h"
#include "lb/http/head_rewriter.h"
#include "lb/http/head_scanner.h"
#include "tests/fuzz/fuzz.h"

using namespace weir::http;
using weir::fuzz::check;

namespace {

void check_method(std::string_view bytes, Method method) {
  HeadParser parser;
  const auto head = parser.parse_response(bytes, method, true, {});
  if (!head) return;
  const int status = (*head)->status;
  const Framing framing = (*head)->framing;
  ResponseRewrite how{.request_id = "id", .backend = "b"};
  how.framing = framing;
  how.passes_upgrade = true;
  std::string out;
  rewrite_response(**head, how, &out);
  HeadScanner scanner;
  check(scanner.scan(out, 1 << 20) == HeadState::complete, "a whole head");
  check(scanner.head_length() == out.size(), "one head");
  HeadLimits limits;
  limits.fields = kMaxFields;
  const auto again = parser.parse_response(out, method, true, limits);
  check(again.has_value(), "what is written is taken");
  check((*again)->status == status, "the same status");
  check((*again)->framing.kind == framing.kind && (*again)->framing.length == framing.length,
        "the same framing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = weir::fuzz::as_text(data, size);
  HeadScanner scanner;
  if (scanner.scan(bytes, 32 * 1024) != HeadState::complete) return 0;
  check_method(bytes.substr(0, scanner.head_length()), Method::post);
  check_method(bytes.substr(0, scanner.head_length()), Method::head);
  return 0;
}
