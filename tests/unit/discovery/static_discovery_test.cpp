#include "discovery/static_discovery.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

struct RecordingSink final : BackendSetSink {
  void publish(std::string_view source, std::shared_ptr<const BackendSet> set,
               size_t pending) override {
    said += std::string(source) + ":" + std::to_string(set->size()) + ":" +
            std::to_string(pending) + " ";
  }
  std::string said;
};

TEST(StaticDiscoveryTest, PublishesOnceInALaterTurn) {
  TimerQueue timers;
  RecordingSink sink;
  StaticDiscovery discovery(timers, "config", {{"a:1", {"a", 1, false}, {}, 0, 1, "", ""}});
  discovery.start(sink);
  EXPECT_EQ(sink.said, "");
  timers.advance_to(timers.now() + std::chrono::hours(1));
  EXPECT_EQ(sink.said, "config:1:0 ");
}

}  // namespace
}  // namespace weir
