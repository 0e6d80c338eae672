// What is forwarded of a head, and what is not.
#include "lb/http/head_rewriter.h"

#include <gtest/gtest.h>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

using Kind = HeaderRule::Kind;

class RewriterTest : public testing::Test {
 protected:
  RewriterTest() {
    how_.client_address = "10.0.0.9";
    how_.request_id = "id-1";
  }

  // The head that a backend would get.
  std::string request(const std::string& first_line, const std::string& fields,
                      const BackendLines& backend = {}) {
    bytes_ = first_line + "\r\nHost: a:1\r\n" + fields + "\r\n";
    const auto head = parser_.parse_request(bytes_, {});
    EXPECT_TRUE(head) << parser_.why();
    how_.rules = rules_;
    rewrite_request(**head, how_, &rewritten_);
    std::string out;
    finish_request(rewritten_, backend, (*head)->method, (*head)->framing, &out);
    EXPECT_EQ(judge_request(out, whole(out.size()), &parser_), "ok") << parser_.why() << out;
    return out;
  }
  std::string get(const std::string& fields) { return request("GET /x HTTP/1.1", fields); }
  std::string post(const std::string& fields) { return request("POST /x HTTP/1.1", fields); }

  static bool has(const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != head.npos;
  }
  static bool mentions(const std::string& head, std::string_view name) {
    for (size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
      const std::string_view line = std::string_view(head).substr(at + 2, name.size() + 1);
      if (line.size() > name.size() && line.back() == ':' &&
          field_name(line.substr(0, name.size())) == field_name(name)) {
        return true;
      }
    }
    return false;
  }

  HeadParser parser_;
  std::string bytes_;
  RequestRewrite how_;
  std::vector<HeaderRule> rules_;
  RewrittenRequest rewritten_;
};

using RequestRewriterTest = RewriterTest;

TEST_F(RequestRewriterTest, PlainRequestKeepsItsFieldsAndGetsOurs) {
  EXPECT_EQ(get("Accept: */*\r\ntraceparent: 00-a-b-01\r\n"),
            "GET /x HTTP/1.1\r\nAccept: */*\r\ntraceparent: 00-a-b-01\r\n"
            "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a:1\r\n"
            "X-Request-Id: id-1\r\nHost: a:1\r\n\r\n");
}

TEST_F(RequestRewriterTest, RequestOf10GoesOutAs11) {
  const std::string out = request("GET /x HTTP/1.0", "");
  EXPECT_TRUE(out.starts_with("GET /x HTTP/1.1\r\n"));
  EXPECT_FALSE(mentions(out, "connection"));
}

TEST_F(RequestRewriterTest, AbsoluteFormGoesOutInOriginFormWithItsHost) {
  const std::string out = request("GET http://b/x?y HTTP/1.1", "");
  EXPECT_TRUE(out.starts_with("GET /x?y HTTP/1.1\r\n"));
  EXPECT_TRUE(has(out, "Host: b"));
  EXPECT_FALSE(has(out, "Host: a:1"));
}

TEST_F(RequestRewriterTest, FieldsOfOneHopAreDropped) {
  const std::string out = post(
      "Content-Length: 3\r\nConnection: keep-alive, X-Mine, x-other\r\nKeep-Alive: timeout=5\r\n"
      "X-Mine: 1\r\nX-OTHER: 2\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\n"
      "Proxy-Authenticate: x\r\nExpect: 100-continue\r\nTrailer: X-T\r\nUpgrade: websocket\r\n"
      "HTTP2-Settings: x\r\nTE: gzip\r\nX-Stays: 3\r\n");
  for (const char* name : {"connection", "keep-alive", "proxy-connection", "proxy-authorization",
                           "proxy-authenticate", "expect", "trailer", "upgrade", "te"}) {
    EXPECT_FALSE(mentions(out, name)) << name;
  }
  EXPECT_EQ(out.find("X-Mine"), out.npos);
  EXPECT_EQ(out.find("X-OTHER"), out.npos);
  EXPECT_EQ(out.find("HTTP2"), out.npos);
  EXPECT_TRUE(has(out, "X-Stays: 3"));
}

TEST_F(RequestRewriterTest, ManyNamesInConnectionAreAllDropped) {
  std::string names = "Connection: a";
  std::string fields;
  for (int i = 0; i < 40; ++i) {
    names += ", X-" + std::to_string(i);
    fields += "X-" + std::to_string(i) + ": v\r\n";
  }
  EXPECT_EQ(get(names + "\r\n" + fields).find("\r\nX-39"), std::string::npos);
}

TEST_F(RequestRewriterTest, TeKeepsOnlyTrailers) {
  EXPECT_TRUE(has(get("TE: gzip, trailers\r\n"), "TE: trailers"));
}

TEST_F(RequestRewriterTest, FramingIsWrittenAnew) {
  EXPECT_TRUE(has(post("content-length: 007\r\n"), "Content-Length: 7"));
  EXPECT_EQ(post("content-length: 007\r\n").find("content-length"), std::string::npos);
  EXPECT_TRUE(has(post("transfer-encoding: CHUNKED\r\n"), "Transfer-Encoding: chunked"));
  EXPECT_TRUE(has(post(""), "Content-Length: 0"));
  EXPECT_FALSE(mentions(get("Content-Length: 0\r\n"), "content-length"));
}

TEST_F(RequestRewriterTest, ForwardedFieldsOfAnUntrustedClientAreReplaced) {
  const std::string out =
      get("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
          "Forwarded: for=1.1.1.1\r\nX_Forwarded_For: 2.2.2.2\r\n");
  EXPECT_TRUE(has(out, "X-Forwarded-For: 10.0.0.9"));
  EXPECT_TRUE(has(out, "X-Forwarded-Proto: http"));
  EXPECT_EQ(out.find("1.1.1.1"), out.npos);
  EXPECT_EQ(out.find("2.2.2.2"), out.npos);
  EXPECT_EQ(out.find("evil"), out.npos);
}

TEST_F(RequestRewriterTest, ForwardedFieldsOfATrustedClientAreContinued) {
  how_.trusts_client = true;
  const std::string out =
      get("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n"
          "X-Forwarded-Host: front\r\n");
  EXPECT_TRUE(has(out, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9"));
  EXPECT_TRUE(has(out, "X-Forwarded-Proto: https"));
  EXPECT_TRUE(has(out, "X-Forwarded-Host: front"));
}

TEST_F(RequestRewriterTest, RequestIdIsAlwaysTheGivenOne) {
  const std::string out = get("X-Request-Id: theirs\r\nx_request_id: twin\r\n");
  EXPECT_TRUE(has(out, "X-Request-Id: id-1"));
  EXPECT_EQ(out.find("theirs"), out.npos);
  EXPECT_EQ(out.find("twin"), out.npos);
}

TEST_F(RequestRewriterTest, KeyOfTheBackendReplacesTheCredentialsOfTheClient) {
  const std::string fields = "Authorization: Bearer c\r\nx-api-key: c\r\napi-key: c\r\n";
  EXPECT_TRUE(has(get(fields), "Authorization: Bearer c"));
  EXPECT_TRUE(has(get(fields), "x-api-key: c"));
  const std::string out = request("GET /x HTTP/1.1", fields, {"secret", "b:8000"});
  EXPECT_TRUE(has(out, "Authorization: Bearer secret"));
  EXPECT_TRUE(has(out, "Host: b:8000"));
  EXPECT_EQ(out.find("Bearer c"), out.npos);
  EXPECT_EQ(out.find("api-key"), out.npos);
}

TEST_F(RequestRewriterTest, UpgradePassesOnlyWhenAllowed) {
  const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_FALSE(mentions(get(fields), "upgrade"));
  how_.upgrade = "websocket";
  EXPECT_TRUE(has(get(fields), "Connection: Upgrade\r\nUpgrade: websocket"));
}

TEST_F(RequestRewriterTest, ViaIsAddedBehindThatOfOthers) {
  EXPECT_FALSE(mentions(get(""), "via"));
  how_.adds_via = true;
  EXPECT_TRUE(has(get("Via: 1.1 outer\r\n"), "Via: 1.1 weir"));
  EXPECT_TRUE(has(get("Via: 1.1 outer\r\n"), "Via: 1.1 outer"));
}

TEST_F(RequestRewriterTest, RulesSetAddAndRemove) {
  rules_ = {{Kind::set, "X-Set", "new"},
            {Kind::add, "X-Add", "two"},
            {Kind::remove, "X-Gone", ""},
            {Kind::remove_prefix, "X-Secret-", ""}};
  const std::string out =
      get("x-set: old\r\nX-Add: one\r\nX-Gone: 1\r\nx-secret-key: 1\r\nX-Secret: kept\r\n");
  EXPECT_TRUE(has(out, "X-Set: new"));
  EXPECT_TRUE(has(out, "X-Add: one"));
  EXPECT_TRUE(has(out, "X-Add: two"));
  EXPECT_TRUE(has(out, "X-Secret: kept"));
  for (const char* gone : {"old", "X-Gone", "x-secret-key"}) EXPECT_EQ(out.find(gone), out.npos);
}

TEST_F(RequestRewriterTest, RulesMaySetHostAndTakeOutOurFields) {
  rules_ = {{Kind::set, "host", "h:9"},
            {Kind::remove_prefix, "X-Forwarded-", ""},
            {Kind::set, "Authorization", "Bearer r"}};
  const std::string out = get("Authorization: Bearer c\r\n");
  EXPECT_TRUE(has(out, "Host: h:9"));
  EXPECT_EQ(out.find("X-Forwarded"), out.npos);
  EXPECT_TRUE(has(out, "Authorization: Bearer r"));
  EXPECT_EQ(out.find("Bearer c"), out.npos);
}

TEST_F(RequestRewriterTest, RulesCannotTouchFramingOrBreakLines) {
  rules_ = {{Kind::set, "Content-Length", "9"},
            {Kind::add, "Transfer-Encoding", "chunked"},
            {Kind::add, "X", "a\r\nY: b"},
            {Kind::remove_prefix, "C", ""}};
  const std::string out = post("Content-Length: 3\r\n");
  EXPECT_TRUE(has(out, "Content-Length: 3"));
  EXPECT_FALSE(mentions(out, "transfer-encoding"));
  EXPECT_EQ(out.find("Y: b"), out.npos);
}

TEST_F(RequestRewriterTest, RequestWithoutAnyHostGetsOne) {
  const std::string bytes = "GET /x HTTP/1.0\r\n\r\n";
  const auto head = parser_.parse_request(bytes, {});
  ASSERT_TRUE(head);
  rewrite_request(**head, how_, &rewritten_);
  std::string out;
  finish_request(rewritten_, {}, Method::get, {}, &out);
  EXPECT_TRUE(has(out, "Host: localhost"));
  EXPECT_EQ(out.find("X-Forwarded-Host"), out.npos);
}

class ResponseRewriterTest : public RewriterTest {
 protected:
  // The head that a client would get.
  std::string response(const std::string& bytes, Method method = Method::get) {
    const auto head = parser_.parse_response(bytes, method, true, {});
    EXPECT_TRUE(head) << parser_.why();
    if (keeps_framing_) to_client_.framing = (*head)->framing;
    to_client_.rules = rules_;
    std::string out;
    rewrite_response(**head, to_client_, &out);
    EXPECT_EQ(judge_response(out, whole(out.size()), &parser_, method, true), "ok")
        << parser_.why() << out;
    return out;
  }
  std::string ok(const std::string& fields) {
    return response("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
  }
  void send_as(Framing framing) {
    to_client_.framing = framing;
    keeps_framing_ = false;
  }

  ResponseRewrite to_client_{"id-1", "n1-0"};
  bool keeps_framing_ = true;
};

TEST_F(ResponseRewriterTest, PlainAnswerKeepsItsFieldsAndGetsOurs) {
  to_client_.attempts = 2;
  EXPECT_EQ(ok("date: today\r\ncontent-type: application/json\r\ncontent-length: 5\r\n"),
            "HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: application/json\r\n"
            "X-Request-Id: id-1\r\nX-Weir-Backend: n1-0\r\nX-Weir-Attempts: 2\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST_F(ResponseRewriterTest, FieldsOfOneHopAndFalseOnesOfOursAreDropped) {
  const std::string out =
      ok("Content-Length: 5\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
         "Proxy-Authenticate: x\r\nTrailer: X\r\nUpgrade: h2c\r\nX-Request-Id: theirs\r\n"
         "X-Weir-Backend: theirs\r\nx-weir-attempts: 99\r\n");
  for (const char* name :
       {"connection", "keep-alive", "proxy-authenticate", "trailer", "upgrade"}) {
    EXPECT_FALSE(mentions(out, name)) << name;
  }
  EXPECT_EQ(out.find("X-Mine"), out.npos);
  EXPECT_EQ(out.find("theirs"), out.npos);
  EXPECT_EQ(out.find("99"), out.npos);
}

TEST_F(ResponseRewriterTest, EventStreamsAreMarkedUnlessTheBackendDidItself) {
  const std::string stream = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_TRUE(has(ok(stream), "X-Accel-Buffering: no"));
  EXPECT_TRUE(has(ok(stream), "Cache-Control: no-cache"));
  const std::string own = ok(stream + "x-accel-buffering: yes\r\ncache-control: no-store\r\n");
  EXPECT_FALSE(has(own, "X-Accel-Buffering: no"));
  EXPECT_FALSE(has(own, "Cache-Control: no-cache"));
  EXPECT_FALSE(mentions(ok("Content-Length: 5\r\n"), "cache-control"));
}

TEST_F(ResponseRewriterTest, FramingIsWhatTheCallerSays) {
  EXPECT_TRUE(has(ok("transfer-encoding: Chunked\r\n"), "Transfer-Encoding: chunked"));
  send_as({BodyKind::length, 7});
  EXPECT_TRUE(has(ok("Transfer-Encoding: chunked\r\n"), "Content-Length: 7"));
  EXPECT_FALSE(mentions(ok("Transfer-Encoding: chunked\r\n"), "transfer-encoding"));
  send_as({BodyKind::until_close, 0});
  const std::string out = ok("Transfer-Encoding: chunked\r\n");
  EXPECT_FALSE(mentions(out, "transfer-encoding"));
  EXPECT_TRUE(has(out, "Connection: close"));
}

TEST_F(ResponseRewriterTest, ClientOf10GetsNoChunksAndHearsWhetherTheConnectionStays) {
  to_client_.client_minor_version = 0;
  EXPECT_TRUE(has(ok("Content-Length: 5\r\n"), "Connection: keep-alive"));
  const std::string out = ok("Transfer-Encoding: chunked\r\n");
  EXPECT_FALSE(mentions(out, "transfer-encoding"));
  EXPECT_TRUE(has(out, "Connection: close"));
}

TEST_F(ResponseRewriterTest, ClosingIsSaid) {
  to_client_.client_keeps_alive = false;
  EXPECT_TRUE(has(ok("Content-Length: 5\r\n"), "Connection: close"));
}

TEST_F(ResponseRewriterTest, AnswerToHeadKeepsTheLength) {
  const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_TRUE(has(response(bytes, Method::head), "Content-Length: 5"));
}

TEST_F(ResponseRewriterTest, HeadsThatEndWithThemselvesHaveNoFraming) {
  for (const char* status : {"103 Early Hints", "204 No Content", "304 Not Modified"}) {
    const std::string out =
        response("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n");
    EXPECT_FALSE(mentions(out, "content-length")) << status;
    EXPECT_FALSE(mentions(out, "transfer-encoding")) << status;
  }
}

TEST_F(ResponseRewriterTest, SwitchOfProtocolsKeepsItsTwoFields) {
  to_client_.passes_upgrade = true;
  const std::string out =
      response("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_TRUE(has(out, "Connection: Upgrade\r\nUpgrade: websocket"));
}

TEST_F(ResponseRewriterTest, TrailersAreAnnouncedOnlyWhereTheyPass) {
  EXPECT_FALSE(mentions(ok("Content-Length: 5\r\nTrailer: X-Sum\r\n"), "trailer"));
  to_client_.passes_trailers = true;
  EXPECT_TRUE(has(ok("Content-Length: 5\r\nTrailer: X-Sum\r\n"), "Trailer: X-Sum"));
}

TEST_F(ResponseRewriterTest, ViaTellsTheVersionThatTheAnswerCameWith) {
  to_client_.adds_via = true;
  EXPECT_TRUE(has(ok("Content-Length: 5\r\n"), "Via: 1.1 weir"));
  EXPECT_TRUE(has(response("HTTP/1.0 200 OK\r\n\r\n"), "Via: 1.0 weir"));
}

TEST_F(ResponseRewriterTest, RulesSetAddAndRemove) {
  rules_ = {{Kind::set, "Server", "weir"}, {Kind::remove_prefix, "X-Weir-", ""}};
  const std::string out = ok("server: uvicorn\r\nContent-Length: 5\r\n");
  EXPECT_TRUE(has(out, "Server: weir"));
  EXPECT_EQ(out.find("uvicorn"), out.npos);
  EXPECT_EQ(out.find("X-Weir"), out.npos);
}

}  // namespace
}  // namespace weir::http
