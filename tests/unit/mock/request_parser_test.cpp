#include "bench/mock/request_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

using Status = MockRequestParser::Status;

struct Parsed {
  Status last = Status::incomplete;
  std::vector<MockRequest> requests;
};

// All of `bytes`, handed over in pieces of `step`.
Parsed parse(std::string_view bytes, size_t step) {
  MockRequestParser parser;
  Parsed parsed;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      parsed.last = parser.feed(piece);
      if (parsed.last == Status::bad || parsed.last == Status::too_large) return parsed;
      if (parsed.last == Status::complete) parsed.requests.push_back(parser.request());
    }
  }
  return parsed;
}

constexpr std::string_view kThree =
    "POST /v1/completions?x=1 HTTP/1.1\r\nHost: a:1\r\nContent-Type: "
    "application/json\r\nContent-Length: 5\r\n"
    "X-Request-ID: abc\r\nX-Mock-Fault: abort:2\r\nAuthorization: Bearer k\r\n\r\nhello"
    "POST /tokenize HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: "
    "Host\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nHost: x\r\n\r\n"
    "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n";

TEST(MockRequestParserTest, ReadsPipelinedRequestsHoweverTheyAreCut) {
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, kThree.size()}) {
    const Parsed parsed = parse(kThree, step);
    ASSERT_EQ(parsed.requests.size(), 3u) << step;
    EXPECT_EQ(parsed.last, Status::complete);
    EXPECT_EQ(parsed.requests[0].method, "POST");
    EXPECT_EQ(parsed.requests[0].path(), "/v1/completions");
    EXPECT_EQ(parsed.requests[0].body, "hello");
    EXPECT_EQ(parsed.requests[0].request_id, "abc");
    EXPECT_EQ(parsed.requests[0].fault, "abort:2");
    EXPECT_EQ(parsed.requests[0].authorization, "Bearer k");
    EXPECT_FALSE(parsed.requests[0].should_close);
    EXPECT_EQ(parsed.requests[1].body, "abcde");
    EXPECT_EQ(parsed.requests[1].host, "");
    EXPECT_EQ(parsed.requests[2].path(), "/health");
    EXPECT_TRUE(parsed.requests[2].should_close);
  }
}

TEST(MockRequestParserTest, RefusesWhatUvicornRefuses) {
  for (const char* text :
       {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello",
        "GET / HTTP/1.1\nHost: a\n\n", "GARBAGE\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    EXPECT_EQ(parse(text, 1000).last, Status::bad) << text;
  }
}

TEST(MockRequestParserTest, TakesWhatUvicornTakes) {
  for (const char* text :
       {"\r\n\r\nGET /health HTTP/1.1\r\n\r\n", "GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"}) {
    const Parsed parsed = parse(text, 1000);
    ASSERT_EQ(parsed.requests.size(), 1u) << text;
    EXPECT_EQ(parsed.requests[0].path(), "/health");
  }
}

TEST(MockRequestParserTest, GoesOnBehindAnUpgradeItIgnored) {
  const Parsed parsed = parse(
      "GET /version HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /health "
      "HTTP/1.1\r\n\r\n",
      1000);
  ASSERT_EQ(parsed.requests.size(), 2u);
  EXPECT_EQ(parsed.requests[1].path(), "/health");
}

TEST(MockRequestParserTest, AlwaysClosesHttp10) {
  const Parsed parsed = parse("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1000);
  ASSERT_EQ(parsed.requests.size(), 1u);
  EXPECT_TRUE(parsed.requests[0].should_close);
}

TEST(MockRequestParserTest, SaysOnceThatTheBodyIsWaitedFor) {
  MockRequestParser parser;
  std::string_view bytes = "POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(parser.feed(bytes), Status::incomplete);
  EXPECT_TRUE(parser.take_continue());
  EXPECT_FALSE(parser.take_continue());
  bytes = "ab";
  EXPECT_EQ(parser.feed(bytes), Status::complete);
  EXPECT_FALSE(parser.take_continue());
}

TEST(MockRequestParserTest, RefusesATargetBeyond64KiB) {
  const std::string shorter = "GET /" + std::string(63 * 1024, 'a') + " HTTP/1.1\r\n\r\n";
  const std::string longer = "GET /" + std::string(65 * 1024, 'a') + " HTTP/1.1\r\n\r\n";
  EXPECT_EQ(parse(shorter, 1 << 20).last, Status::complete);
  EXPECT_EQ(parse(longer, 1 << 20).last, Status::bad);
}

TEST(MockRequestParserTest, RefusesABodyBeyond64MiB) {
  MockRequestParser parser;
  std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4400000\r\n";
  ASSERT_EQ(parser.feed(head), Status::incomplete);
  const std::string piece(4 << 20, 'x');
  Status status = Status::incomplete;
  int pieces = 0;
  for (; status == Status::incomplete && pieces < 100; ++pieces) {
    std::string_view bytes = piece;
    status = parser.feed(bytes);
  }
  EXPECT_EQ(status, Status::too_large);
  EXPECT_EQ(pieces, 17);
}

}  // namespace
}  // namespace weir
