// A response head that is taken is rewritten to one that is taken again, with the same status and
// body.
#include "lb/http/head_parser.h"
#include "lb/http/head_rewriter.h"
#include "lb/http/head_scanner.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same_fields.h"

using namespace weir::http;
using weir::fuzz::check;

namespace {

void check_same(const ResponseHead& one, const ResponseHead& two) {
  check(one.status == two.status && one.reason == two.reason &&
            one.minor_version == two.minor_version && one.framing.kind == two.framing.kind &&
            one.framing.length == two.framing.length && one.keep_alive == two.keep_alive &&
            one.is_event_stream == two.is_event_stream && one.is_json == two.is_json &&
            one.is_encoded == two.is_encoded,
        "both ways read the same head");
  check(weir::fuzz::same_fields(one.fields, two.fields), "both ways read the same fields");
}

// The quick way takes what llhttp takes, and as it takes it.
void check_ways(std::string_view bytes, Method method, bool asked_upgrade) {
  HeadParser quick;
  HeadParser thorough(HeadParser::Way::thorough);
  const auto a = quick.parse_response(bytes, method, asked_upgrade, {});
  const auto b = thorough.parse_response(bytes, method, asked_upgrade, {});
  check(a.has_value() == b.has_value() && quick.why() == thorough.why(), "both ways agree");
  if (a && b) check_same(**a, **b);
}

// A head that is taken without the scanner is one that the scanner finds, and llhttp takes.
void check_take(std::string_view bytes, Method method) {
  HeadParser quick;
  size_t length = 0;
  const ResponseHead* head = quick.take_response(bytes, method, {}, &length);
  if (head == nullptr) return;
  HeadScanner scanner;
  check(scanner.scan(bytes, HeadLimits{}.head_bytes) == HeadState::complete,
        "the scanner finds it");
  check(scanner.head_length() == length, "the same end");
  HeadParser thorough(HeadParser::Way::thorough);
  const auto expected = thorough.parse_response(bytes.substr(0, length), method, false, {});
  check(expected.has_value(), "llhttp takes it too");
  check_same(*head, **expected);
  check(weir::fuzz::are_whole_lines(head->fields), "whole lines are whole");
}

void check_method(std::string_view bytes, Method method) {
  check_ways(bytes, method, false);
  check_ways(bytes, method, true);
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
  check_take(bytes, Method::post);
  check_take(bytes, Method::head);
  HeadScanner scanner;
  if (scanner.scan(bytes, 32 * 1024) != HeadState::complete) return 0;
  check_method(bytes.substr(0, scanner.head_length()), Method::post);
  check_method(bytes.substr(0, scanner.head_length()), Method::head);
  return 0;
}
