// A head that is taken is rewritten to one that is taken again, means the same and has one framing
// at most. In which pieces it arrived does not matter.
#include "lb/http/ascii.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_rewriter.h"
#include "lb/http/head_scanner.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same_fields.h"

namespace weir::http {
namespace {

using fuzz::check;

struct Scanned {
  HeadState state;
  size_t length;
};

Scanned scan(std::string_view bytes, uint32_t seed) {
  fuzz::Pieces pieces(seed);
  HeadScanner scanner;
  HeadState state = HeadState::incomplete;
  for (size_t end = 0; end < bytes.size() && state == HeadState::incomplete;) {
    end += pieces.next(bytes.size() - end);
    state = scanner.scan(bytes.substr(0, end), HeadLimits{}.head_bytes);
  }
  return {state, scanner.head_length()};
}

int count(const RequestHead& head, FieldName id) {
  int found = 0;
  for (const Field& field : head.fields.all()) found += field.id == id ? 1 : 0;
  return found;
}

void check_again(const std::string& out, Method method, const std::string& target,
                 Framing framing) {
  HeadParser parser;
  const Scanned scanned = scan(out, 0);
  check(scanned.state == HeadState::complete && scanned.length == out.size(), "one whole head");
  HeadLimits limits;
  limits.fields = kMaxFields;
  const auto again = parser.parse_request(out, limits);
  check(again.has_value(), "what is written is taken");
  check((*again)->method == method && (*again)->target == target, "the same request line");
  check((*again)->framing.kind == framing.kind && (*again)->framing.length == framing.length,
        "the same framing");
  check((*again)->minor_version == 1, "HTTP/1.1 to backends");
  check(count(**again, FieldName::host) == 1, "one Host");
  check(
      count(**again, FieldName::content_length) + count(**again, FieldName::transfer_encoding) <= 1,
      "one framing at most");
  check(count(**again, FieldName::x_request_id) == 1, "one request id");
  check(count(**again, FieldName::connection) == 0, "no Connection");
}

void check_same(const RequestHead& a, const RequestHead& b) {
  check(a.method == b.method && a.target == b.target && a.path == b.path && a.host == b.host &&
            a.minor_version == b.minor_version && a.framing.kind == b.framing.kind &&
            a.framing.length == b.framing.length && a.keep_alive == b.keep_alive &&
            a.expects_continue == b.expects_continue && a.accepts_trailers == b.accepts_trailers &&
            a.upgrade == b.upgrade && a.request_id == b.request_id,
        "both ways read the same head");
  check(fuzz::same_fields(a.fields, b.fields), "both ways read the same fields");
}

// The quick way takes what llhttp takes, and as it takes it.
void check_ways(std::string_view bytes) {
  HeadParser quick;
  HeadParser thorough(HeadParser::Way::thorough);
  const auto a = quick.parse_request(bytes, {});
  const auto b = thorough.parse_request(bytes, {});
  check(a.has_value() == b.has_value() && quick.why() == thorough.why(), "both ways agree");
  if (a && b) check_same(**a, **b);
}

// A head that is taken without the scanner is one that the scanner finds, and llhttp takes.
void check_take(std::string_view bytes) {
  HeadParser quick;
  size_t length = 0;
  const RequestHead* head = quick.take_request(bytes, {}, &length);
  if (head == nullptr) return;
  const Scanned scanned = scan(bytes, 0);
  check(scanned.state == HeadState::complete && scanned.length == length, "the same end");
  HeadParser thorough(HeadParser::Way::thorough);
  const auto expected = thorough.parse_request(bytes.substr(0, length), {});
  check(expected.has_value(), "llhttp takes it too");
  check_same(*head, **expected);
  check(fuzz::are_whole_lines(head->fields), "whole lines are whole");
}

}  // namespace
}  // namespace weir::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::http;
  std::string_view bytes = weir::fuzz::as_text(data, size);
  bytes.remove_prefix(skip_empty_lines(bytes));
  check_take(bytes);
  const Scanned scanned = scan(bytes, 0);
  for (uint32_t seed = 1; seed < 4; ++seed) {
    const Scanned other = scan(bytes, seed);
    weir::fuzz::check(other.state == scanned.state, "pieces do not matter");
    weir::fuzz::check(scanned.state != HeadState::complete || other.length == scanned.length,
                      "pieces do not move the end");
  }
  if (scanned.state != HeadState::complete) return 0;
  check_ways(bytes.substr(0, scanned.length));
  HeadParser parser;
  HeadLimits limits;
  const auto head = parser.parse_request(bytes.substr(0, scanned.length), limits);
  weir::fuzz::check(head.has_value() == parser.why().empty(), "a refusal says why");
  if (!head) return 0;
  RewrittenRequest rewritten;
  rewrite_request(**head, {.client_address = "127.0.0.1", .request_id = "id"}, &rewritten);
  std::string out;
  finish_request(rewritten, {}, (*head)->method, (*head)->framing, &out);
  check_again(out, (*head)->method, std::string((*head)->target), (*head)->framing);
  return 0;
}
