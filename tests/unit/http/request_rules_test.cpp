// The rules for request heads, one row each; docs/http-rules.md names them.
#include <ostream>

#include <gtest/gtest.h>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

struct Row {
  const char* rule;
  std::string bytes;
  std::string expected;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.rule;
}

// A GET with more fields.
std::string get(const std::string& fields) {
  return "GET /v1/models HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST /v1/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string line(const std::string& first) {
  return first + "\r\nHost: a\r\n\r\n";
}
std::string host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

const std::string kBad = "bad_request";
const std::string kTe = "Transfer-Encoding: chunked\r\n";
const std::string kCl = "Content-Length: 5\r\n";
const std::string kNul(1, '\0');

const std::vector<Row> kRows{
    // lines
    {"PlainRequestIsTaken", get("Accept: */*\r\n"), "ok"},
    {"EmptyLinesBeforeTheRequestAreSkipped", "\r\n\r\n" + get(""), "ok"},
    {"BareLfBeforeTheRequest", "\n" + get(""), kBad},
    {"BareCrBeforeTheRequest", "\r" + get(""), kBad},
    {"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", kBad},
    {"BareLfAfterField", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", kBad},
    {"BareLfAsEndOfHead", "GET / HTTP/1.1\r\nHost: a\r\n\n", kBad},
    {"BareLfHidesAField", get("X: a\nTransfer-Encoding: chunked\r\n"), kBad},
    {"BareCrInFieldName", get("X:\rTransfer-Encoding: chunked\r\n"), kBad},
    {"BareCrInValue", get("X: a\rb\r\n"), kBad},
    {"BareCrInRequestLine", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
    {"CrCrLf", get("X: a\r\r\n"), kBad},
    {"EndOfHeadWithCrCrAndAByte", "GET / HTTP/1.1\r\nHost: a\r\n\r\rX", kBad},
    {"FoldedFieldWithBlank", get("X: a\r\n b\r\n"), kBad},
    {"FoldedFieldWithTab", get("X: a\r\n\tb\r\n"), kBad},
    {"FoldedContentLength", post("Content-Length:\r\n 5\r\n"), kBad},
    {"FoldedTransferEncoding", post("Transfer-Encoding:\r\n chunked\r\n"), kBad},
    {"BlankBeforeTheFirstField", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", kBad},
    {"BlankBeforeTheRequestLine", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
    {"NulInValue", get("X: a" + kNul + "b\r\n"), kBad},
    {"NulInName", get("X" + kNul + ": b\r\n"), kBad},
    {"NulInTarget", line("GET /" + kNul + " HTTP/1.1"), kBad},
    {"ControlInValue", get("X: a\x01\r\n"), kBad},
    {"DelInValue", get("X: a\x7f\r\n"), kBad},
    {"VerticalTabBeforeChunked",
     post("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     kBad},
    {"TabInValueIsTaken", get("X: a\tb\r\n"), "ok"},
    {"Latin1InValueIsTaken", get("X: caf\xe9\r\n"), "ok"},
    {"HeadWithoutEndIsIncomplete", "GET / HTTP/1.1\r\nHost: a\r\n", "incomplete"},
    // field names
    {"EmptyFieldName", get(": v\r\n"), kBad},
    {"BlankBeforeColon", get("X : v\r\n"), kBad},
    {"TabBeforeColon", get("X\t: v\r\n"), kBad},
    {"BlankInFieldName", get("X Y: v\r\n"), kBad},
    {"BlankBeforeColonOfTransferEncoding", post("Transfer-Encoding : chunked\r\n"), kBad},
    {"FieldWithoutColon", get("Nonsense\r\n"), kBad},
    {"BracketInFieldName", get("X[]: v\r\n"), kBad},
    {"HighByteInFieldName", get("X\xe9: v\r\n"), kBad},
    {"EmptyValueIsTaken", get("X:\r\n"), "ok"},
    {"ValueWithoutBlankIsTaken", get("X:v\r\n"), "ok"},
    // request line
    {"TwoBlanksBeforeTarget", line("GET  / HTTP/1.1"), kBad},
    {"TwoBlanksBeforeVersion", line("GET /  HTTP/1.1"), kBad},
    {"BlankAfterVersion", line("GET / HTTP/1.1 "), kBad},
    {"TabInRequestLine", line("GET\t/ HTTP/1.1"), kBad},
    {"BlankInTarget", line("GET /a b HTTP/1.1"), kBad},
    {"NoVersion", line("GET /"), kBad},
    {"MethodAlone", line("GET"), kBad},
    {"MethodNotAToken", line("G(T / HTTP/1.1"), kBad},
    {"Http09", line("GET / HTTP/0.9"), "version_unsupported"},
    {"Http12", line("GET / HTTP/1.2"), "version_unsupported"},
    {"Http2", line("GET / HTTP/2.0"), "version_unsupported"},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version_unsupported"},
    {"Rtsp", line("DESCRIBE / RTSP/1.0"), kBad},
    {"Ice", line("SOURCE / ICE/1.0"), kBad},
    {"VersionInLowerCase", line("GET / http/1.1"), kBad},
    {"VersionWithTwoDigits", line("GET / HTTP/1.10"), kBad},
    {"MethodSource", line("SOURCE / HTTP/1.1"), "method_unsupported"},
    {"MethodInLowerCase", line("get / HTTP/1.1"), "method_unsupported"},
    {"MethodPropfind", line("PROPFIND / HTTP/1.1"), "method_unsupported"},
    {"MethodPurge", line("PURGE / HTTP/1.1"), "method_unsupported"},
    {"MethodConnect", line("CONNECT a:443 HTTP/1.1"), "method_unsupported"},
    {"MethodTrace", line("TRACE / HTTP/1.1"), "method_unsupported"},
    {"MethodPatchIsTaken", line("PATCH / HTTP/1.1"), "ok"},
    {"MethodDeleteIsTaken", line("DELETE /v1/x HTTP/1.1"), "ok"},
    {"OptionsStarIsTaken", line("OPTIONS * HTTP/1.1"), "ok"},
    // targets
    {"StarForGet", line("GET * HTTP/1.1"), kBad},
    {"HashInTarget", line("GET /a#b HTTP/1.1"), kBad},
    {"QuoteInTarget", line("GET /a\"b HTTP/1.1"), kBad},
    {"AngleInTarget", line("GET /<a> HTTP/1.1"), kBad},
    {"BraceInTarget", line("GET /{a} HTTP/1.1"), kBad},
    {"PipeInTarget", line("GET /a|b HTTP/1.1"), kBad},
    {"CaretInTarget", line("GET /a^b HTTP/1.1"), kBad},
    {"BacktickInTarget", line("GET /a`b HTTP/1.1"), kBad},
    {"BackslashInTarget", line("GET /a\\b HTTP/1.1"), kBad},
    {"HighByteInTarget", line("GET /\xc3\xa9 HTTP/1.1"), kBad},
    {"TargetWithoutSlash", line("GET v1/models HTTP/1.1"), kBad},
    {"AuthorityForm", line("GET a:80 HTTP/1.1"), kBad},
    {"OtherScheme", line("GET ftp://a/ HTTP/1.1"), kBad},
    {"AbsoluteFormIsTaken", line("GET http://a/x HTTP/1.1"), "ok"},
    {"AbsoluteFormWithoutHost", line("GET http:///x HTTP/1.1"), kBad},
    {"AbsoluteFormWithUserinfo", line("GET http://u:p@a/x HTTP/1.1"), kBad},
    {"AbsoluteFormWithBadPort", line("GET http://a:b/x HTTP/1.1"), kBad},
    {"AbsoluteFormStillNeedsHost", "GET http://a/x HTTP/1.1\r\n\r\n", kBad},
    // Host
    {"NoHost", "GET / HTTP/1.1\r\nX: y\r\n\r\n", kBad},
    {"NoHostIn10IsTaken", "GET / HTTP/1.0\r\n\r\n", "ok"},
    {"TwoHosts", get("Host: b\r\n"), kBad},
    {"TwoEqualHosts", get("Host: a\r\n"), kBad},
    {"TwoHostsIn10", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", kBad},
    {"EmptyHost", host(""), kBad},
    {"HostWithSlash", host("a/b"), kBad},
    {"HostWithUserinfo", host("u@a"), kBad},
    {"HostWithSlashAndUserinfo", host("a/b@c"), kBad},
    {"HostList", host("a, b"), kBad},
    {"HostListWithoutBlank", host("a,b"), kBad},
    {"HostWithBlank", host("a b"), kBad},
    {"HostWithTab", host("a\tb"), kBad},
    {"HostWithQuery", host("a?b"), kBad},
    {"HostWithHash", host("a#b"), kBad},
    {"HostWithHighByte", host("caf\xe9"), kBad},
    {"HostWithScheme", host("http://a"), kBad},
    {"HostWithPercent", host("a%00b"), kBad},
    {"HostPortTooLarge", host("a:65536"), kBad},
    {"HostPortNotANumber", host("a:8x"), kBad},
    {"HostTwoPorts", host("a:1:2"), kBad},
    {"HostOnlyPort", host(":80"), kBad},
    {"HostUnclosedBracket", host("[::1"), kBad},
    {"HostTextBehindBracket", host("[::1]x"), kBad},
    {"HostWithPortIsTaken", host("a.b-c_d:8000"), "ok"},
    {"HostIpv6IsTaken", host("[::1]:8000"), "ok"},
    // framing
    {"ContentLengthIsTaken", post(kCl), "ok"},
    {"ChunkedIsTaken", post(kTe), "ok"},
    {"ChunkedWithoutCaseIsTaken", post("transfer-encoding: Chunked\r\n"), "ok"},
    {"LengthThenChunked", post(kCl + kTe), kBad},
    {"ChunkedThenLength", post(kTe + kCl), kBad},
    {"EmptyTransferEncodingAndLength", post(kCl + "Transfer-Encoding:\r\n"), kBad},
    {"EmptyTransferEncoding", post("Transfer-Encoding:\r\n"), kBad},
    {"TransferEncodingCommaChunked", post("Transfer-Encoding: , chunked\r\n"), kBad},
    {"TransferEncodingChunkedComma", post("Transfer-Encoding: chunked,\r\n"), kBad},
    {"TransferEncodingGzipChunked", post("Transfer-Encoding: gzip, chunked\r\n"), kBad},
    {"TransferEncodingIdentityChunked", post("Transfer-Encoding: identity, chunked\r\n"), kBad},
    {"TransferEncodingChunkedGzip", post("Transfer-Encoding: chunked, gzip\r\n"), kBad},
    {"TransferEncodingChunkedTwice", post("Transfer-Encoding: chunked, chunked\r\n"), kBad},
    {"TwoTransferEncodings", post(kTe + kTe), kBad},
    {"TransferEncodingWithParameter", post("Transfer-Encoding: chunked;a=b\r\n"), kBad},
    {"TransferEncodingQuoted", post("Transfer-Encoding: \"chunked\"\r\n"), kBad},
    {"TransferEncodingGzip", post("Transfer-Encoding: gzip\r\n"), "coding_unsupported"},
    {"TransferEncodingIdentity", post("Transfer-Encoding: identity\r\n"), "coding_unsupported"},
    {"TransferEncodingXchunked", post("Transfer-Encoding: xchunked\r\n"), "coding_unsupported"},
    {"TransferEncodingIn10", "POST / HTTP/1.0\r\nHost: a\r\n" + kTe + "\r\n", kBad},
    {"TwoLengths", post(kCl + "Content-Length: 6\r\n"), kBad},
    {"TwoEqualLengths", post(kCl + kCl), kBad},
    {"LengthList", post("Content-Length: 5, 5\r\n"), kBad},
    {"LengthWithPlus", post("Content-Length: +5\r\n"), kBad},
    {"LengthWithMinus", post("Content-Length: -5\r\n"), kBad},
    {"LengthInHex", post("Content-Length: 0x5\r\n"), kBad},
    {"LengthWithPoint", post("Content-Length: 5.0\r\n"), kBad},
    {"LengthWithBlankInside", post("Content-Length: 5 5\r\n"), kBad},
    {"EmptyLength", post("Content-Length:\r\n"), kBad},
    {"LengthWithBlanksAroundIsTaken", post("Content-Length:   5  \r\n"), "ok"},
    {"LengthOf18DigitsIsTaken", post("Content-Length: 999999999999999999\r\n"), "ok"},
    {"LengthOf19Digits", post("Content-Length: 1000000000000000000\r\n"), "body_too_large"},
    {"LengthOf19DigitsWithZeros", post("Content-Length: 0000000000000000005\r\n"),
     "body_too_large"},
    {"LengthBeyond64Bits", post("Content-Length: 99999999999999999999999\r\n"), "body_too_large"},
    // fields of one hop
    {"ConnectionNamesContentLength", post(kCl + "Connection: content-length\r\n"), kBad},
    {"ConnectionNamesTransferEncoding", post(kTe + "Connection: Transfer-Encoding\r\n"), kBad},
    {"ConnectionNamesHost", get("Connection: close, Host\r\n"), kBad},
    {"ConnectionNamesAuthorization", get("Connection: authorization\r\n"), kBad},
    {"ConnectionNamesContentType", get("Connection: Content-Type\r\n"), kBad},
    {"ConnectionNamesCookie", get("Connection: cookie\r\n"), kBad},
    {"ConnectionWithNonsense", get("Connection: close;q=1\r\n"), kBad},
    {"ConnectionWithEmptyElementsIsTaken", get("Connection: , close ,\r\n"), "ok"},
    {"OtherExpectation", post(kCl + "Expect: 200-ok\r\n"), "expectation_failed"},
    {"TwoExpectations", post(kCl + "Expect: 100-continue, x\r\n"), "expectation_failed"},
    {"ExpectContinueIsTaken", post(kCl + "Expect: 100-Continue\r\n"), "ok"},
};

class RequestRules : public testing::TestWithParam<Row> {};

TEST_P(RequestRules, HoldWholeByteByByteAndInRandomPieces) {
  HeadParser parser;
  const std::string& bytes = GetParam().bytes;
  for (const Cuts& cuts : all_cuts(bytes.size())) {
    EXPECT_EQ(judge_request(bytes, cuts, &parser), GetParam().expected)
        << parser.why() << " in " << cuts.size() << " pieces";
  }
}

INSTANTIATE_TEST_SUITE_P(Http, RequestRules, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.rule; });

class HeadLimitsTest : public testing::Test {
 protected:
  std::string judge(const std::string& bytes) {
    return judge_request(bytes, whole(bytes.size()), &parser_, limits_);
  }
  HeadParser parser_;
  HeadLimits limits_;
};

TEST_F(HeadLimitsTest, HeadMayBeExactlyAsLargeAsTheLimit) {
  const std::string bytes = get("X: y\r\n");
  limits_.head_bytes = bytes.size();
  EXPECT_EQ(judge(bytes), "ok");
  limits_.head_bytes = bytes.size() - 1;
  EXPECT_EQ(judge(bytes), "head_too_large");
}

TEST_F(HeadLimitsTest, TooManyFieldsAreRefused) {
  limits_.fields = 2;
  EXPECT_EQ(judge(get("X: y\r\n")), "ok");
  EXPECT_EQ(judge(get("X: y\r\nZ:\r\n")), "head_too_large");
}

TEST_F(HeadLimitsTest, FieldsEndAtTheRoomOfTheListWhateverTheLimitSays) {
  limits_.fields = 10'000;
  std::string fields;
  for (size_t i = 1; i < kMaxFields; ++i) fields += "X: y\r\n";
  EXPECT_EQ(judge(get(fields)), "ok");
  EXPECT_EQ(judge(get(fields + "X: y\r\n")), "head_too_large");
}

TEST_F(HeadLimitsTest, LongTargetIsRefusedWithItsOwnError) {
  limits_.target_bytes = 10;
  EXPECT_EQ(judge(line("GET /345678910 HTTP/1.1")), "ok");
  EXPECT_EQ(judge(line("GET /3456789101 HTTP/1.1")), "target_too_long");
}

}  // namespace
}  // namespace weir::http
