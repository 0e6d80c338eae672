#include "lb/launch/live_lines.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

ReplicaStatus replica(uint32_t index, ReplicaState state, std::string reason = "") {
  ReplicaStatus status;
  status.id = "n01-" + std::to_string(index);
  status.node = "n01";
  status.index = index;
  status.state = state;
  status.reason = std::move(reason);
  if (state == ReplicaState::ready || state == ReplicaState::loading) {
    status.host = "10.0.0.1";
    status.port = 61001;
    status.gpus = "0";
  }
  return status;
}

const TimePoint kNow = TimePoint{} + 72s;

TEST(ShortDurationTest, ReadsAsPeopleSayIt) {
  EXPECT_EQ(short_duration(850ms), "850ms");
  EXPECT_EQ(short_duration(12s), "12s");
  EXPECT_EQ(short_duration(72s), "1m12s");
  EXPECT_EQ(short_duration(123min), "2h03m");
  EXPECT_EQ(short_duration(-1s), "0ms");
}

TEST(LiveLinesTest, SaysEachEventOnALineOfItsOwnWithoutATerminal) {
  LiveLines lines({});
  EXPECT_EQ(lines.on_change(replica(0, ReplicaState::starting), kNow),
            "weir: replica n01-0: starting on n01\n");
  EXPECT_EQ(lines.on_change(replica(0, ReplicaState::ready), kNow),
            "weir: replica n01-0: ready after 1m12s at 10.0.0.1:61001 GPU 0\n");
}

TEST(LiveLinesTest, SaysNothingTwice) {
  LiveLines lines({});
  lines.on_change(replica(0, ReplicaState::starting), kNow);
  EXPECT_EQ(lines.on_change(replica(0, ReplicaState::starting), kNow), "");
}

TEST(LiveLinesTest, ShowsTheLastLinesOfAFailedReplicaWithoutItsControlCharacters) {
  LiveLines lines({});
  ReplicaStatus status = replica(1, ReplicaState::failed, "exited with code 1");
  status.log_path = "logs/r1.log";
  status.last_lines = {"loading\r", "\x1b[31mout of memory"};
  EXPECT_EQ(lines.on_change(status, kNow),
            "weir: replica n01-1: failed: exited with code 1\n"
            "  its last lines, of logs/r1.log:\n"
            "  | loading\n"
            "  | [31mout of memory\n");
}

TEST(LiveLinesTest, NeverMovesTheCursorWithoutATerminal) {
  LiveLines lines({});
  lines.on_change(replica(0, ReplicaState::loading), kNow);
  std::string all;
  for (int i = 0; i < 100; ++i) all += lines.on_tick(kNow + i * 1s);
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3) << "after 10, 30 and 70 seconds";
}

TEST(LiveLinesTest, RedrawsItsBlockInPlaceOnATerminal) {
  LiveLines lines({true, false, 80, 24});
  lines.on_change(replica(0, ReplicaState::loading), kNow);
  lines.on_change(replica(1, ReplicaState::starting), kNow);
  const std::string text = lines.on_tick(kNow + 1s);
  EXPECT_TRUE(text.starts_with("\x1b[3F\x1b[J")) << "two replicas and the sum";
  EXPECT_NE(text.find("loading 1m13s"), std::string::npos);
  EXPECT_NE(text.find("0 of 2 replicas ready, 2 coming (longest 1m13s)"), std::string::npos);
}

TEST(LiveLinesTest, CutsLinesToTheWidthAndTheBlockToTheHeight) {
  LiveLines lines({true, false, 40, 8});
  for (uint32_t i = 0; i < 20; ++i)
    lines.on_change(replica(i, ReplicaState::waiting, std::string(99, 'x')), kNow);
  const std::string text = lines.on_tick(kNow);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
  size_t begin = text.find("  n01-0");
  EXPECT_LT(text.find('\n', begin) - begin, 40U);
}

TEST(LiveLinesTest, LeavesTheTerminalToTheCommandOnceSettled) {
  LiveLines lines({true, false, 80, 24});
  lines.on_change(replica(0, ReplicaState::ready), kNow);
  lines.settle(kNow);
  EXPECT_EQ(lines.on_tick(kNow), "");
  EXPECT_EQ(lines.on_change(replica(0, ReplicaState::waiting, "exited with code 1"), kNow),
            "weir: replica n01-0: waiting: exited with code 1\n");
}

}  // namespace
}  // namespace weir
