// The quick way through a head takes what the thorough one takes, as it takes it: every byte in
// every place.
#include <string>

#include <gtest/gtest.h>

#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"
#include "tests/fuzz/same_fields.h"

namespace weir::http {
namespace {

class HeadWays : public testing::Test {
 protected:
  // `text` with each byte at each place of [from, to).
  template <typename Look>
  static void with_each_byte(const std::string& text, size_t from, size_t to, Look look) {
    for (size_t at = from; at < to; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[at] = static_cast<char>(c);
        look(changed);
        if (testing::Test::HasFailure()) return;
      }
    }
  }

  // What the scanner does not find to be one head is not for the thorough way, nor for the quick.
  static bool is_head(const std::string& bytes, bool is_taken) {
    HeadScanner scanner;
    const bool is_one = scanner.scan(bytes, HeadLimits{}.head_bytes) == HeadState::complete &&
                        scanner.head_length() == bytes.size();
    EXPECT_TRUE(is_one || !is_taken) << testing::PrintToString(bytes);
    return is_one;
  }

  void look_at_request(const std::string& bytes) {
    size_t length = 0;
    const bool is_taken = quick_.take_request(bytes, {}, &length) != nullptr;
    if (!is_head(bytes, is_taken && length == bytes.size())) return;
    const auto a = quick_.parse_request(bytes, {});
    const auto b = thorough_.parse_request(bytes, {});
    ASSERT_EQ(a.has_value(), b.has_value()) << testing::PrintToString(bytes);
    EXPECT_EQ(quick_.why(), thorough_.why());
    if (!a) return;
    EXPECT_EQ((*a)->method, (*b)->method);
    EXPECT_EQ((*a)->target, (*b)->target);
    EXPECT_EQ((*a)->path, (*b)->path);
    EXPECT_EQ((*a)->host, (*b)->host);
    EXPECT_EQ((*a)->names_fields, (*b)->names_fields);
    EXPECT_TRUE(fuzz::same_fields((*a)->fields, (*b)->fields)) << testing::PrintToString(bytes);
    EXPECT_TRUE(fuzz::are_whole_lines((*a)->fields));
    if (!(*a)->whole_line.empty()) {
      EXPECT_EQ((*a)->whole_line, bytes.substr(0, bytes.find('\n') + 1));
      EXPECT_TRUE((*a)->whole_line.ends_with(" HTTP/1.1\r\n"));
    }
  }

  void look_at_response(const std::string& bytes) {
    size_t length = 0;
    const bool is_taken = quick_.take_response(bytes, Method::post, {}, &length) != nullptr;
    if (!is_head(bytes, is_taken && length == bytes.size())) return;
    const auto a = quick_.parse_response(bytes, Method::post, false, {});
    const auto b = thorough_.parse_response(bytes, Method::post, false, {});
    ASSERT_EQ(a.has_value(), b.has_value()) << testing::PrintToString(bytes);
    if (!a) return;
    EXPECT_EQ((*a)->status, (*b)->status);
    EXPECT_EQ((*a)->reason, (*b)->reason);
    EXPECT_EQ((*a)->is_json, (*b)->is_json);
    EXPECT_EQ((*a)->is_event_stream, (*b)->is_event_stream);
    EXPECT_TRUE(fuzz::same_fields((*a)->fields, (*b)->fields)) << testing::PrintToString(bytes);
  }

  HeadParser quick_;
  HeadParser thorough_{HeadParser::Way::thorough};
};

TEST_F(HeadWays, AgreeOnEveryByteOfARequestLine) {
  const std::string line = "GET /v1/models/a-long-name?limit=20 HTTP/1.1";
  with_each_byte(line + "\r\nHost: a\r\n\r\n", 0, line.size() + 2,
                 [&](const std::string& bytes) { look_at_request(bytes); });
}

TEST_F(HeadWays, AgreeOnEveryByteOfAFieldThatIsKnown) {
  const std::string begin = "POST /v1/completions HTTP/1.1\r\nHost: a\r\n";
  const std::string line = "Content-Type: application/json; charset=utf-8\r\n";
  with_each_byte(begin + line + "Accept: */*\r\nUser-Agent: somebody's client 1.0\r\n\r\n",
                 begin.size(), begin.size() + line.size(),
                 [&](const std::string& bytes) { look_at_request(bytes); });
}

TEST_F(HeadWays, AgreeOnEveryByteOfALongNameAndOfOneThatIsUnknown) {
  const std::string begin = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string lines = "X-Stainless-Runtime-Version: 3\r\nX-Mine: 1\r\n";
  with_each_byte(begin + lines + "Accept: nothing that anybody could send\r\n\r\n", begin.size(),
                 begin.size() + lines.size(),
                 [&](const std::string& bytes) { look_at_request(bytes); });
}

TEST_F(HeadWays, AgreeOnEveryByteOfAnAnswer) {
  const std::string head =
      "HTTP/1.1 200 All right\r\ncontent-type: text/event-stream\r\nserver: uvicorn\r\n\r\n";
  with_each_byte(head, 0, head.size(), [&](const std::string& bytes) { look_at_response(bytes); });
}

TEST_F(HeadWays, TheLastTypeOfAnAnswerCounts) {
  const std::string both = "Content-Type: text/event-stream\r\nContent-Type: application/json\r\n";
  look_at_response("HTTP/1.1 200 OK\r\n" + both + "\r\n");
  const auto head =
      quick_.parse_response("HTTP/1.1 200 OK\r\n" + both + "\r\n", Method::post, false, {});
  ASSERT_TRUE(head);
  EXPECT_TRUE((*head)->is_json);
  EXPECT_FALSE((*head)->is_event_stream);
}

TEST_F(HeadWays, UsualHeadsAreTakenQuickly) {
  const std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nACCEPT: application/json\r\n"
      "x-stainless-retry-count: 0\r\nX-Mine: \xc3\xa9\r\nContent-Length: 618\r\n\r\n";
  for (size_t behind = 0; behind < 40; ++behind) {
    const std::string bytes = head + std::string(behind, '{');
    size_t length = 0;
    const RequestHead* taken = quick_.take_request(bytes, {}, &length);
    ASSERT_NE(taken, nullptr) << behind;
    EXPECT_EQ(length, head.size());
    EXPECT_EQ(taken->fields.all().size(), 5U);
    EXPECT_EQ(taken->fields.all()[2].id, FieldName::common);
  }
}

}  // namespace
}  // namespace weir::http
