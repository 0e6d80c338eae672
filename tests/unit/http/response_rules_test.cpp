// The rules for response heads, one row each; docs/http-rules.md names them.
#include <ostream>

#include <gtest/gtest.h>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

struct Row {
  const char* rule;
  std::string bytes;
  std::string expected;
  bool asked_upgrade = false;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.rule;
}

std::string answer(const std::string& fields, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\n" + fields + "\r\n";
}

const std::string kBad = "bad_response";
const std::string kTe = "Transfer-Encoding: chunked\r\n";
const std::string kCl = "Content-Length: 5\r\n";
const std::string kNul(1, '\0');

const std::vector<Row> kRows{
    {"PlainAnswerIsTaken", answer(kCl), "ok"},
    {"AnswerWithoutReasonIsTaken", "HTTP/1.1 200\r\n" + kCl + "\r\n", "ok"},
    {"AnswerWithEmptyReasonIsTaken", "HTTP/1.1 200 \r\n" + kCl + "\r\n", "ok"},
    {"Answer10IsTaken", "HTTP/1.0 200 OK\r\n" + kCl + "\r\n", "ok"},
    // lines
    {"BareLfAfterStatusLine", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n", kBad},
    {"BareCrAfterStatusLine", "HTTP/1.1 200 OK\rContent-Length: 5\r\n\r\n", kBad},
    {"BareLfHidesAField", answer("X: a\nTransfer-Encoding: chunked\r\n"), kBad},
    {"BareCrInValue", answer("X: a\rb\r\n"), kBad},
    {"EndOfHeadWithCrCrAndAByte", "HTTP/1.1 200 OK\r\n" + kCl + "\r\rX", kBad},
    {"FoldedField", answer("X: a\r\n b\r\n"), kBad},
    {"FoldedContentLength", answer("Content-Length:\r\n 5\r\n"), kBad},
    {"FoldedTransferEncoding", answer("Transfer-Encoding:\r\n\tchunked\r\n"), kBad},
    {"BlankBeforeTheStatusLine", " HTTP/1.1 200 OK\r\n" + kCl + "\r\n", kBad},
    {"NulInValue", answer("X: a" + kNul + "\r\n"), kBad},
    {"EmptyFieldName", answer(": v\r\n"), kBad},
    {"BlankBeforeColon", answer("Content-Length : 5\r\n"), kBad},
    {"FieldWithoutColon", answer("Nonsense\r\n"), kBad},
    // status
    {"Status099", answer(kCl, "099 No"), kBad},
    {"Status600", answer(kCl, "600 No"), kBad},
    {"StatusOfTwoDigits", answer(kCl, "20 OK"), kBad},
    {"StatusOfFourDigits", answer(kCl, "2000 OK"), kBad},
    {"StatusNotANumber", answer(kCl, "2x0 OK"), kBad},
    {"TwoBlanksBeforeStatus", answer(kCl, " 200 OK"), kBad},
    {"Http2", "HTTP/2.0 200 OK\r\n\r\n", kBad},
    {"NoHttp", "SSH-2.0-OpenSSH\r\n\r\n", kBad},
    {"Icy", "ICY 200 OK\r\n\r\n", kBad},
    {"Status101Unasked", answer("Connection: upgrade\r\nUpgrade: x\r\n", "101 S"), kBad},
    {"Status101WithoutUpgrade", answer("Connection: upgrade\r\n", "101 S"), kBad, true},
    {"Status101WithoutConnection", answer("Upgrade: x\r\n", "101 S"), kBad, true},
    {"Status101IsTaken", answer("Connection: upgrade\r\nUpgrade: x\r\n", "101 S"), "ok", true},
    {"Status103IsTaken", answer("Link: </a>\r\n", "103 Early Hints"), "ok"},
    // framing
    {"LengthAndChunked", answer(kCl + kTe), kBad},
    {"ChunkedAndLength", answer(kTe + kCl), kBad},
    {"TwoLengths", answer(kCl + "Content-Length: 6\r\n"), kBad},
    {"TwoEqualLengths", answer(kCl + kCl), kBad},
    {"LengthList", answer("Content-Length: 5, 5\r\n"), kBad},
    {"LengthWithPlus", answer("Content-Length: +5\r\n"), kBad},
    {"EmptyLength", answer("Content-Length:\r\n"), kBad},
    {"LengthOf19Digits", answer("Content-Length: 1000000000000000000\r\n"), kBad},
    {"LengthBeyond64Bits", answer("Content-Length: 99999999999999999999999\r\n"), kBad},
    {"EmptyTransferEncoding", answer("Transfer-Encoding:\r\n"), kBad},
    {"TransferEncodingGzip", answer("Transfer-Encoding: gzip\r\n"), kBad},
    {"TransferEncodingGzipChunked", answer("Transfer-Encoding: gzip, chunked\r\n"), kBad},
    {"TransferEncodingChunkedGzip", answer("Transfer-Encoding: chunked, gzip\r\n"), kBad},
    {"TransferEncodingIdentity", answer("Transfer-Encoding: identity\r\n"), kBad},
    {"TwoTransferEncodings", answer(kTe + kTe), kBad},
    {"TransferEncodingIn10", "HTTP/1.0 200 OK\r\n" + kTe + "\r\n", kBad},
    // fields of one hop
    {"ConnectionNamesContentLength", answer(kCl + "Connection: Content-Length\r\n"), kBad},
    {"ConnectionNamesTransferEncoding", answer(kTe + "Connection: transfer-encoding\r\n"), kBad},
    {"ConnectionNamesContentType", answer(kCl + "Connection: Content-Type\r\n"), kBad},
    {"ConnectionWithNonsense", answer(kCl + "Connection: a b\r\n"), kBad},
};

class ResponseRules : public testing::TestWithParam<Row> {};

TEST_P(ResponseRules, HoldWholeByteByByteAndInRandomPieces) {
  HeadParser parser;
  const Row& row = GetParam();
  for (const Cuts& cuts : all_cuts(row.bytes.size())) {
    EXPECT_EQ(judge_response(row.bytes, cuts, &parser, Method::get, row.asked_upgrade),
              row.expected)
        << parser.why() << " in " << cuts.size() << " pieces";
  }
}

INSTANTIATE_TEST_SUITE_P(Http, ResponseRules, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.rule; });

class ResponseBodies : public testing::Test {
 protected:
  const ResponseHead& parse(const std::string& bytes, Method method = Method::post) {
    bytes_ = bytes;
    const auto head = parser_.parse_response(bytes_, method, false, {});
    EXPECT_TRUE(head) << parser_.why();
    return **head;
  }
  BodyKind body_of(const std::string& bytes, Method method = Method::post) {
    return parse(bytes, method).framing.kind;
  }
  HeadParser parser_;
  std::string bytes_;
};

TEST_F(ResponseBodies, AreFramedAsTheHeadSays) {
  EXPECT_EQ(parse(answer(kCl)).framing.length, 5U);
  EXPECT_EQ(body_of(answer(kCl)), BodyKind::length);
  EXPECT_EQ(body_of(answer("Content-Length: 0\r\n")), BodyKind::length);
  EXPECT_EQ(body_of(answer(kTe)), BodyKind::chunked);
  EXPECT_EQ(body_of(answer("")), BodyKind::until_close);
  EXPECT_FALSE(parse(answer("")).keep_alive);
}

TEST_F(ResponseBodies, DoNotExistForHead1xx204And304) {
  EXPECT_EQ(body_of(answer(kCl), Method::head), BodyKind::none);
  EXPECT_EQ(body_of(answer(kTe), Method::head), BodyKind::none);
  EXPECT_EQ(body_of(answer(kCl, "204 No Content")), BodyKind::none);
  EXPECT_EQ(body_of(answer(kCl, "304 Not Modified")), BodyKind::none);
  EXPECT_EQ(body_of(answer(kTe, "304 Not Modified")), BodyKind::none);
  EXPECT_EQ(body_of(answer("", "103 Early Hints")), BodyKind::none);
}

TEST_F(ResponseBodies, AnnouncedWhereNoneCanBeEndTheConnection) {
  EXPECT_FALSE(parse(answer(kCl, "204 No Content")).keep_alive);
  EXPECT_FALSE(parse(answer(kTe, "204 No Content")).keep_alive);
  EXPECT_TRUE(parse(answer("", "204 No Content")).keep_alive);
  EXPECT_TRUE(parse(answer(kCl, "304 Not Modified")).keep_alive);
  EXPECT_TRUE(parse(answer(kCl), Method::head).keep_alive);
}

TEST_F(ResponseBodies, KeepTheConnectionUnlessEitherVersionSaysOtherwise) {
  EXPECT_TRUE(parse(answer(kCl)).keep_alive);
  EXPECT_FALSE(parse(answer(kCl + "Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\n" + kCl + "\r\n").keep_alive);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + kCl + "\r\n").keep_alive);
}

TEST_F(ResponseBodies, AreKnownByTheirTypeAndCoding) {
  const std::string stream = "Content-Type: text/event-stream; charset=utf-8\r\n";
  EXPECT_TRUE(parse(answer(kTe + stream)).is_event_stream);
  EXPECT_TRUE(parse(answer(kCl + "content-type: Application/JSON\r\n")).is_json);
  EXPECT_FALSE(parse(answer(kCl + "content-type: application/jsonl\r\n")).is_json);
  EXPECT_TRUE(parse(answer(kCl + "Content-Encoding: gzip\r\n")).is_encoded);
  EXPECT_FALSE(parse(answer(kCl + "Content-Encoding: identity\r\n")).is_encoded);
}

}  // namespace
}  // namespace weir::http
