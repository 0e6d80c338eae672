// The errors that weir itself answers.
#include "lb/http/error_response.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/http/feed.h"

namespace weir::http {
namespace {

using nlohmann::json;

std::string respond(const ErrorAnswer& answer) {
  std::string out;
  append_error_response(answer, &out);
  return out;
}

bool has(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != head.npos;
}

int retry_ms(const std::string& head) {
  const size_t at = head.find("retry-after-ms: ");
  return at == head.npos ? 0 : std::stoi(head.substr(at + 16));
}

TEST(ErrorResponse, EveryKindIsAValidAnswerInOpenAiShape) {
  HeadParser parser;
  for (int i = 0; i < kErrorKinds; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorKind>(i));
    if (row.status == 0) continue;
    const std::string out = respond({.kind = row.kind, .request_id = "r"});
    const ScannedHead scanned = scan_head(out, whole(out.size()));
    ASSERT_EQ(scanned.state, HeadState::complete) << row.name;
    const auto head = parser.parse_response(scanned.head, Method::post, false, {});
    ASSERT_TRUE(head) << row.name;
    EXPECT_EQ((*head)->status, row.status);
    EXPECT_NE((*head)->reason, "Error") << row.status << " has no reason";
    EXPECT_TRUE((*head)->is_json);
    const std::string body = out.substr(scanned.head.size());
    EXPECT_EQ((*head)->framing.length, body.size());
    const json error = json::parse(body).at("error");
    EXPECT_EQ(error.at("message"), row.message);
    EXPECT_EQ(error.at("type"), row.type);
    EXPECT_EQ(error.at("code"), row.code);
    EXPECT_TRUE(error.at("param").is_null());
    EXPECT_EQ(out.find("x-should-retry: false") != out.npos, row.should_not_retry) << row.name;
  }
}

TEST(ErrorResponse, CarriesWhatTheCallerSays) {
  const std::string out = respond({.kind = ErrorKind::backend_closed,
                                   .message = "it \"died\"\n",
                                   .request_id = "r-1",
                                   .backend = "n1-0",
                                   .attempts = 2,
                                   .date = "Sun, 22 Nov 2026 15:00:00 GMT",
                                   .close = true});
  EXPECT_TRUE(out.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_TRUE(has(out, "X-Request-Id: r-1"));
  EXPECT_TRUE(has(out, "X-Weir-Backend: n1-0"));
  EXPECT_TRUE(has(out, "X-Weir-Attempts: 2"));
  EXPECT_TRUE(has(out, "Connection: close"));
  EXPECT_TRUE(has(out, "Date: Sun, 22 Nov 2026 15:00:00 GMT"));
  EXPECT_NE(out.find("it \\\"died\\\"\\n"), out.npos);
}

TEST(ErrorResponse, LeavesOutWhatIsNotKnown) {
  const std::string out = respond({.kind = ErrorKind::bad_request});
  for (const char* name :
       {"X-Request-Id", "X-Weir", "Retry-After", "Connection", "Date", "Server"}) {
    EXPECT_EQ(out.find(name), out.npos) << name;
  }
}

TEST(ErrorResponse, AnswerToHeadIsTheHeadOnly) {
  const std::string out = respond({.kind = ErrorKind::path_unknown, .is_head = true});
  EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  EXPECT_NE(out.find("Content-Length: "), out.npos);
}

TEST(ErrorResponse, ClientOf10HearsThatTheConnectionStays) {
  EXPECT_TRUE(has(respond({.kind = ErrorKind::path_unknown, .client_minor_version = 0}),
                  "Connection: keep-alive"));
}

TEST(ErrorResponse, RetryIsSpreadByAFifthAroundTheKindsOwn) {
  int least = 1 << 30;
  int most = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string id = "request-" + std::to_string(i);
    const int ms = retry_ms(respond({.kind = ErrorKind::backends_loading, .request_id = id}));
    least = std::min(least, ms);
    most = std::max(most, ms);
  }
  EXPECT_GE(least, 8000);
  EXPECT_LE(most, 12000);
  EXPECT_LT(least, 9000);
  EXPECT_GT(most, 11000);
}

TEST(ErrorResponse, RetryGivenByTheCallerIsSpreadToo) {
  std::set<int> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string id = "r-" + std::to_string(i);
    const int ms = retry_ms(
        respond({.kind = ErrorKind::queue_full, .request_id = id, .retry_after_ms = 15000}));
    EXPECT_GE(ms, 12000);
    EXPECT_LE(ms, 18000);
    seen.insert(ms);
  }
  EXPECT_GT(seen.size(), 25U);
}

TEST(ErrorResponse, MissingKeyNamesTheScheme) {
  EXPECT_TRUE(has(respond({.kind = ErrorKind::unauthorized}), "WWW-Authenticate: Bearer"));
}

json event_data(ApiShape shape, std::string* name) {
  std::string out;
  append_error_event(shape, ErrorKind::stream_interrupted, "", &out);
  EXPECT_TRUE(out.ends_with("\n\n"));
  const size_t data = out.find("data: ");
  *name = out.substr(0, data);
  EXPECT_EQ(out.find('\n', data), out.size() - 2) << "one line of data";
  return json::parse(out.substr(data + 6));
}

TEST(ErrorEvent, HasTheShapeOfItsApi) {
  std::string line;
  EXPECT_EQ(event_data(ApiShape::openai, &line).at("error").at("code"), "stream_interrupted");
  EXPECT_EQ(line, "");
  const json anthropic = event_data(ApiShape::anthropic, &line);
  EXPECT_EQ(line, "event: error\n");
  EXPECT_EQ(anthropic.at("type"), "error");
  EXPECT_EQ(anthropic.at("error").at("type"), "api_error");
  const json responses = event_data(ApiShape::responses, &line);
  EXPECT_EQ(line, "event: error\n");
  EXPECT_EQ(responses.at("type"), "error");
  EXPECT_EQ(responses.at("code"), "stream_interrupted");
  EXPECT_EQ(responses.at("error").at("type"), "server_error");
}

TEST(ErrorBody, IsValidWhateverTheBytesOfTheMessage) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  bytes +=
      "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80 \xe2\x82";
  std::string body;
  append_error_body(ErrorKind::bad_response, bytes, &body);
  const std::string back = json::parse(body).at("error").at("message");
  EXPECT_NE(back.find("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd"), back.npos);
  EXPECT_EQ(back.substr(0, 128), bytes.substr(0, 128));
}

}  // namespace
}  // namespace weir::http
