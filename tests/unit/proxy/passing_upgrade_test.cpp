// Which upgrades pass.
#include <gtest/gtest.h>

#include "lb/proxy/tunnel.h"

namespace weir {
namespace {

using http::PathMode;

std::string_view passes(std::string_view path, std::string_view protocol, PathMode mode) {
  http::RequestHead head;
  head.path = path;
  head.upgrade = protocol;
  return passing_upgrade(head, http::judge_path(path, mode), mode);
}

TEST(PassingUpgradeTest, AmongKnownPathsOnlyWebSocketOnTheOneThatSpeaksIt) {
  EXPECT_EQ(passes("/v1/realtime", "WebSocket", PathMode::inference), "WebSocket");
  EXPECT_EQ(passes("/v1/realtime", "other", PathMode::inference), "");
  EXPECT_EQ(passes("/v1/chat/completions", "websocket", PathMode::inference), "");
  EXPECT_EQ(passes("/unknown", "websocket", PathMode::inference), "");
}

TEST(PassingUpgradeTest, ElsewhereOneProtocolOnAnyPathThatIsAllowed) {
  EXPECT_EQ(passes("/chat", "websocket", PathMode::all), "websocket");
  EXPECT_EQ(passes("/chat", "custom", PathMode::all), "custom");
  EXPECT_EQ(passes("/sleep", "websocket", PathMode::all), "");
  EXPECT_EQ(passes("/sleep", "websocket", PathMode::unsafe_all), "websocket");
}

TEST(PassingUpgradeTest, NeverHttp2NorSeveralNorVersions) {
  for (const char* protocol :
       {"", "h2c", "H2C", "h2", "HTTP/2.0", "TLS/1.0", "websocket, h2c", "websocket h2c", "a,b"}) {
    EXPECT_EQ(passes("/chat", protocol, PathMode::unsafe_all), "") << protocol;
  }
}

}  // namespace
}  // namespace weir
