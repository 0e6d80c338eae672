#include "bench/engine/start_plan.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A whole load in virtual time: sessions start when planned and take `answer_ns` each.
struct Started {
  std::vector<StartPlan::Start> starts;
  size_t most_at_once = 0;
};

Started play(const LoadOptions& load, const WorkOptions& work, int64_t answer_ns,
             uint32_t worker = 0) {
  StartPlan plan(load, work, worker);
  Started started;
  std::vector<int64_t> ends;
  while (!plan.is_over() || !ends.empty()) {
    const std::optional<int64_t> next = plan.next_start();
    const auto end = std::ranges::min_element(ends);
    if (next && (ends.empty() || *next <= *end)) {
      started.starts.push_back(plan.take());
      ends.push_back(started.starts.back().planned_ns + answer_ns);
      started.most_at_once = std::max(started.most_at_once, ends.size());
    } else {
      const int64_t at = *end;
      ends.erase(end);
      plan.session_ended(at, false);
    }
  }
  return started;
}

LoadOptions open_load(std::string_view rates) {
  LoadOptions load;
  load.arrivals.stages = parse_rates(rates).value();
  return load;
}

LoadOptions closed_load(uint32_t places) {
  LoadOptions load;
  load.kind = LoadRecord::Kind::closed;
  load.concurrency = places;
  return load;
}

TEST(StartPlanTest, WorkersShareOneScheduleWhateverTheirNumber) {
  LoadOptions load = open_load("100");
  load.requests = 60;
  const std::vector<StartPlan::Start> whole = play(load, {}, kSecond).starts;
  load.workers = 3;
  std::vector<StartPlan::Start> parts;
  for (uint32_t worker = 0; worker < 3; ++worker) {
    for (const StartPlan::Start& one : play(load, {}, kSecond, worker).starts) parts.push_back(one);
  }
  std::ranges::sort(parts, {}, &StartPlan::Start::session);
  ASSERT_EQ(parts.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(parts[i].session, whole[i].session);
    EXPECT_EQ(parts[i].planned_ns, whole[i].planned_ns);
  }
}

TEST(StartPlanTest, AnOpenLoopDoesNotWaitForAnswers) {
  LoadOptions load = open_load("10");
  load.duration_s = 5;
  load.arrivals.kind = ArrivalOptions::Kind::constant;
  EXPECT_EQ(play(load, {}, 3600 * kSecond).starts.size(), 49U);
}

TEST(StartPlanTest, AClosedLoopKeepsItsPlacesFullAndNoMore) {
  LoadOptions load = closed_load(4);
  load.duration_s = 10;
  const Started started = play(load, {}, kSecond);
  EXPECT_EQ(started.most_at_once, 4U);
  EXPECT_EQ(started.starts.size(), 40U);
}

TEST(StartPlanTest, ABoundOnRequestsCountsTurns) {
  LoadOptions load = closed_load(2);
  load.requests = 9;
  WorkOptions work;
  work.turns = 3;
  EXPECT_EQ(play(load, work, kSecond).starts.size(), 3U);
}

TEST(StartPlanTest, MoreWorkersThanPlacesLeaveSomeIdle) {
  LoadOptions load = closed_load(2);
  load.workers = 3;
  load.requests = 10;
  EXPECT_TRUE(play(load, {}, kSecond, 2).starts.empty());
}

TEST(StartPlanTest, UsersThinkBetweenTheirRequests) {
  LoadOptions load = closed_load(100);
  load.kind = LoadRecord::Kind::users;
  load.think_s = 4;
  load.duration_s = 100;
  // Each user needs 1 s for the answer and 4 s to think.
  EXPECT_NEAR(static_cast<double>(play(load, {}, kSecond).starts.size()), 2000, 150);
}

TEST(StartPlanTest, APlaceRestsAfterAFailure) {
  LoadOptions load = closed_load(1);
  load.duration_s = 10;
  const WorkOptions work;
  StartPlan plan(load, work, 0);
  plan.take();
  plan.session_ended(kSecond, true);
  EXPECT_EQ(plan.next_start(), kSecond + kSecond / 10);
}

TEST(StartPlanTest, ATraceIsPlayedAtItsSpeedAndEndsWithItself) {
  LoadOptions load;
  load.kind = LoadRecord::Kind::trace;
  load.speed = 2;
  WorkOptions work;
  for (const int64_t at : {0, 10, 30}) work.trace.push_back({at * kSecond, 1, 1, {}});
  const std::vector<StartPlan::Start> starts = play(load, work, kSecond).starts;
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_EQ(starts[2].planned_ns, 15 * kSecond);
}

TEST(StartPlanTest, NothingStartsAfterAStop) {
  const LoadOptions load = open_load("10");
  const WorkOptions work;
  StartPlan plan(load, work, 0);
  EXPECT_TRUE(plan.next_start());
  plan.stop();
  EXPECT_FALSE(plan.next_start());
  EXPECT_TRUE(plan.is_over());
}

}  // namespace
}  // namespace weir
