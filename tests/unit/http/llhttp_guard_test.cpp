// That the llhttp we are linked with is the strict build: our own rules come on top of it, not in
// its place.
#include <string>

#include <gtest/gtest.h>
#include <llhttp.h>

namespace {

llhttp_errno_t feed(llhttp_type_t type, const std::string& bytes) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  return llhttp_execute(&parser, bytes.data(), bytes.size());
}

TEST(LlhttpGuard, IsCompiledStrict) {
  EXPECT_EQ(LLHTTP_STRICT_MODE, 1);
  EXPECT_EQ(LLHTTP_VERSION_MAJOR, 8);
}

// Each of these passes in the loose build.
TEST(LlhttpGuard, RefusesWhatOnlyTheStrictBuildRefuses) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_NE(feed(HTTP_REQUEST, get + "X:\rTransfer-Encoding: chunked\r\n\r\n"), HPE_OK);
  EXPECT_NE(feed(HTTP_REQUEST, "GET / HTTP/1.1\r\nHo st: a\r\n\r\n"), HPE_OK);
  EXPECT_NE(feed(HTTP_REQUEST, "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"), HPE_OK);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(feed(HTTP_REQUEST, post + "1\r\na\r\n0\r\n\r\n"), HPE_OK);
  EXPECT_NE(feed(HTTP_REQUEST, post + "1\r\naXX0\r\n\r\n"), HPE_OK);
  EXPECT_NE(feed(HTTP_REQUEST, post + "1\rXa\r\n0\r\n\r\n"), HPE_OK);
  EXPECT_NE(feed(HTTP_RESPONSE, "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n"), HPE_OK);
}

}  // namespace
