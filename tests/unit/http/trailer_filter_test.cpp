// Which trailer lines pass, in any pieces.
#include "lb/http/trailer_filter.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

using Kind = HeaderRule::Kind;

std::string filtered(std::string_view lines, size_t piece, std::span<const HeaderRule> rules = {}) {
  std::string unfinished;
  std::string out;
  for (size_t at = 0; at < lines.size(); at += piece) {
    filter_trailers(lines.substr(at, piece), rules, &unfinished, &out);
  }
  EXPECT_EQ(unfinished, "");
  return out;
}

TEST(TrailerFilterTest, PassesInAnyPiecesWhatSaysNothingOfTheMessageItself) {
  const std::string_view lines = "X-Sum: 1\r\nContent-Length: 3\r\nServer-Timing: a\r\nhost: x\r\n";
  for (size_t piece = 1; piece <= lines.size(); ++piece) {
    EXPECT_EQ(filtered(lines, piece), "X-Sum: 1\r\nServer-Timing: a\r\n") << piece;
  }
}

TEST(TrailerFilterTest, DropsFramingRoutingCredentialsAndCaching) {
  for (const std::string_view name : {"Content-Length",
                                      "Transfer-Encoding",
                                      "Host",
                                      "Connection",
                                      "TE",
                                      "Trailer",
                                      "Upgrade",
                                      "Keep-Alive",
                                      "Proxy-Connection",
                                      "Authorization",
                                      "Cookie",
                                      "Set-Cookie",
                                      "Content-Type",
                                      "Content-Encoding",
                                      "Content-Range",
                                      "Cache-Control",
                                      "Expires",
                                      "Location",
                                      "Vary",
                                      "Expect",
                                      "X-Request-Id",
                                      "X-Weir-Backend",
                                      "X-Forwarded-For",
                                      "Forwarded",
                                      "WWW-Authenticate",
                                      "Retry-After",
                                      "Max-Forwards",
                                      "If-Match",
                                      "VIA"}) {
    EXPECT_FALSE(may_be_trailer(name, {})) << name;
  }
  EXPECT_TRUE(may_be_trailer("ETag", {}));
  EXPECT_TRUE(may_be_trailer("grpc-status", {}));
}

TEST(TrailerFilterTest, DropsWhatARuleTakesOutOfTheHead) {
  const std::array<HeaderRule, 1> rules{{{Kind::remove_prefix, "X-Secret", ""}}};
  EXPECT_EQ(filtered("X-Secret-Key: 1\r\nX-Open: 2\r\n", 4, rules), "X-Open: 2\r\n");
}

}  // namespace
}  // namespace weir::http
