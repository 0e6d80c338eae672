// What a good request head is read as.
#include <gtest/gtest.h>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

class RequestHeadTest : public testing::Test {
 protected:
  const RequestHead& parse(const std::string& bytes) {
    bytes_ = bytes;
    const auto head = parser_.parse_request(bytes_, {});
    EXPECT_TRUE(head) << parser_.why();
    return **head;
  }
  const RequestHead& get(const std::string& target, const std::string& fields = "") {
    return parse("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
  const RequestHead& post(const std::string& fields) {
    return parse("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
  HeadParser parser_;
  std::string bytes_;
};

TEST_F(RequestHeadTest, TargetPathAndHostOfOriginForm) {
  const RequestHead& head = get("/v1/models?a=/b?c");
  EXPECT_EQ(head.target, "/v1/models?a=/b?c");
  EXPECT_EQ(head.path, "/v1/models");
  EXPECT_EQ(head.host, "a");
}

TEST_F(RequestHeadTest, AbsoluteFormBecomesOriginFormAndItsHostWins) {
  const RequestHead& head = get("HTTP://b.example:81/v1/models?x");
  EXPECT_EQ(head.target, "/v1/models?x");
  EXPECT_EQ(head.path, "/v1/models");
  EXPECT_EQ(head.host, "b.example:81");
}

TEST_F(RequestHeadTest, AbsoluteFormWithoutAPathGetsOne) {
  EXPECT_EQ(get("http://b").target, "/");
  EXPECT_EQ(get("http://b?q=1").target, "/?q=1");
  EXPECT_EQ(get("http://b?q=1").path, "/");
  EXPECT_EQ(parse("OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n").target, "*");
}

TEST_F(RequestHeadTest, FieldsKeepOrderAndLoseBlanksAround) {
  const RequestHead& head = get("/", "X-One: \t a b \t\r\nX-Two:\r\nx-one:c\r\n");
  ASSERT_EQ(head.fields.all().size(), 4U);
  EXPECT_EQ(head.fields.all()[1].value, "a b");
  EXPECT_EQ(head.fields.all()[2].value, "");
  EXPECT_EQ(head.fields.find("X-ONE"), "a b");
  EXPECT_EQ(head.fields.find("x-three"), std::nullopt);
}

TEST_F(RequestHeadTest, FramingComesFromLengthOrChunked) {
  EXPECT_EQ(post("").framing.kind, BodyKind::none);
  EXPECT_EQ(post("Content-Length: 0\r\n").framing.kind, BodyKind::none);
  EXPECT_EQ(post("Content-Length: 0042\r\n").framing.length, 42U);
  EXPECT_EQ(post("Content-Length: 42\r\n").framing.kind, BodyKind::length);
  EXPECT_EQ(post("Transfer-Encoding: CHUNKED\r\n").framing.kind, BodyKind::chunked);
  EXPECT_EQ(post("").framing.kind, BodyKind::none) << "nothing is left of the head before";
}

TEST_F(RequestHeadTest, KeepAliveFollowsTheVersion) {
  EXPECT_TRUE(get("/").keep_alive);
  EXPECT_FALSE(get("/", "Connection: foo, CLOSE\r\n").keep_alive);
  EXPECT_FALSE(get("/", "Connection: keep-alive\r\nConnection: close\r\n").keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST_F(RequestHeadTest, ContinueIsExpectedOnlyWithABodyAndIn11) {
  EXPECT_TRUE(post("Content-Length: 2\r\nExpect: 100-continue\r\n").expects_continue);
  EXPECT_FALSE(post("Expect: 100-continue\r\n").expects_continue);
  const std::string old = "POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_FALSE(parse(old).expects_continue);
}

TEST_F(RequestHeadTest, UpgradeCountsOnlyWhenConnectionNamesItAndNeverToH2c) {
  const std::string named = "Connection: keep-alive, Upgrade\r\n";
  EXPECT_EQ(get("/", named + "Upgrade: websocket\r\n").upgrade, "websocket");
  EXPECT_EQ(get("/", "Upgrade: websocket\r\n").upgrade, "");
  EXPECT_EQ(get("/", named + "Upgrade: h2c\r\n").upgrade, "");
  EXPECT_EQ(get("/", named + "Upgrade: websocket, H2C\r\n").upgrade, "");
  EXPECT_EQ(post(named + "Upgrade: websocket\r\nContent-Length: 3\r\n").upgrade, "");
}

TEST_F(RequestHeadTest, RequestIdIsTakenIfItIsShortAndVisible) {
  EXPECT_EQ(get("/", "x-request-id: abc-1\r\n").request_id, "abc-1");
  EXPECT_EQ(get("/", "X-Request-Id: a b\r\n").request_id, "");
  EXPECT_EQ(get("/", "X-Request-Id: caf\xe9\r\n").request_id, "");
  EXPECT_EQ(get("/", "X-Request-Id: " + std::string(128, 'x') + "\r\n").request_id.size(), 128U);
  EXPECT_EQ(get("/", "X-Request-Id: " + std::string(129, 'x') + "\r\n").request_id, "");
}

TEST_F(RequestHeadTest, TrailersAreAcceptedWhenTeSaysSo) {
  EXPECT_TRUE(get("/", "TE: gzip;q=0.5, trailers\r\n").accepts_trailers);
  EXPECT_FALSE(get("/", "TE: gzip\r\n").accepts_trailers);
}

TEST_F(RequestHeadTest, BrokenRuleIsSaidAndForgottenAgain) {
  const std::string bytes = "GET / HTTP/1.1\r\n\r\n";
  EXPECT_FALSE(parser_.parse_request(bytes, {}));
  EXPECT_EQ(parser_.why(), "Host is missing");
  get("/");
  EXPECT_EQ(parser_.why(), "");
}

TEST(MethodTest, EachHasItsNameAndIdempotentOnesMayBeRepeated) {
  EXPECT_EQ(to_string(Method::del), "DELETE");
  EXPECT_EQ(to_string(Method::options), "OPTIONS");
  EXPECT_TRUE(is_idempotent(Method::put));
  EXPECT_TRUE(is_idempotent(Method::del));
  EXPECT_FALSE(is_idempotent(Method::post));
  EXPECT_FALSE(is_idempotent(Method::patch));
}

TEST(FieldNameTest, IsFoundWithoutCaseAndOnlyWhenWhole) {
  EXPECT_EQ(field_name("Content-LENGTH"), FieldName::content_length);
  EXPECT_EQ(field_name("x-weir-backend"), FieldName::x_weir_backend);
  EXPECT_EQ(field_name("TE"), FieldName::te);
  EXPECT_EQ(field_name("ontent-length"), FieldName::other);
  EXPECT_EQ(field_name(""), FieldName::other);
  EXPECT_EQ(field_name("t"), FieldName::other);
  EXPECT_EQ(field_name("xe"), FieldName::other);
}

}  // namespace
}  // namespace weir::http
