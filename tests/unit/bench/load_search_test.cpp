#include "bench/engine/load_search.h"

#include <gtest/gtest.h>

#include "bench/engine/saturation.h"

namespace weir {
namespace {

struct Found {
  double good;
  double bad;
  int steps;
};

// A pool that holds up to `limit`.
Found search(double first, double limit, bool whole = false) {
  LoadSearch search(first, 0.05, whole);
  int steps = 0;
  while (const std::optional<double> load = search.next()) {
    search.tell(*load <= limit ? StepVerdict::holds : StepVerdict::breaks);
    ++steps;
  }
  return {search.highest_good(), search.lowest_bad(), steps};
}

TEST(LoadSearchTest, TheHighestLoadThatHoldsIsFoundToFivePercent) {
  for (const double limit : {0.3, 1.0, 41.8, 999.0}) {
    const Found found = search(1, limit);
    EXPECT_LE(found.good, limit) << limit;
    EXPECT_GT(found.bad, limit) << limit;
    EXPECT_LE(found.bad / found.good, 1.05001) << limit;
    EXPECT_LE(found.steps, 20) << limit;
  }
}

TEST(LoadSearchTest, ConcurrencyIsWhole) {
  const Found found = search(4, 37, true);
  EXPECT_GE(found.good, 36);
  EXPECT_LE(found.good, 37);
  const Found small = search(8, 2, true);
  EXPECT_EQ(small.good, 2);
  EXPECT_EQ(small.bad, 3);
}

TEST(LoadSearchTest, APoolThatHoldsNothingEndsTheSearch) {
  const Found found = search(1, 0, true);
  EXPECT_EQ(found.good, 0);
  EXPECT_EQ(found.bad, 1);
}

TEST(LoadSearchTest, WhatCannotBeJudgedTwiceEndsTheSearch) {
  LoadSearch search(10, 0.05, false);
  search.tell(StepVerdict::holds);
  search.tell(StepVerdict::unknown);
  EXPECT_EQ(search.next(), 20);
  search.tell(StepVerdict::unknown);
  EXPECT_FALSE(search.next());
  EXPECT_EQ(search.highest_good(), 10);
  EXPECT_EQ(search.lowest_bad(), 0);
}

TEST(LoadSearchTest, AStepThatWasDisturbedOnceIsMadeAgain) {
  LoadSearch search(10, 0.05, false);
  for (const double load : {10.0, 20.0, 40.0}) {
    search.tell(StepVerdict::unknown);
    EXPECT_EQ(search.next(), load);
    search.tell(StepVerdict::holds);
  }
  EXPECT_EQ(search.highest_good(), 40);
  EXPECT_EQ(search.next(), 80);
}

TEST(SaturationTest, AQueueThatGrowsIsOverSaturated) {
  std::vector<uint32_t> in_flight;
  std::vector<uint64_t> ended;
  for (uint32_t second = 1; second <= 12; ++second) {  // 100 come, 70 end
    in_flight.push_back(30 * second);
    ended.push_back(uint64_t{70} * second);
  }
  EXPECT_TRUE(is_over_saturated(in_flight, ended));
}

TEST(SaturationTest, ALoadThatFillsUpAndStaysIsNot) {
  std::vector<uint32_t> in_flight;
  std::vector<uint64_t> ended;
  for (uint32_t second = 1; second <= 40; ++second) {  // answers take 5 s
    in_flight.push_back(100 * std::min(second, 5U) + second % 7);
    ended.push_back(uint64_t{100} * (second > 5 ? second - 5 : 0));
  }
  for (size_t seconds = 10; seconds <= 40; ++seconds) {
    EXPECT_FALSE(
        is_over_saturated(std::span(in_flight).first(seconds), std::span(ended).first(seconds)))
        << seconds;
  }
}

TEST(SaturationTest, AFewSecondsTellNothing) {
  EXPECT_FALSE(
      is_over_saturated(std::vector<uint32_t>{1, 100, 200}, std::vector<uint64_t>{0, 0, 0}));
}

}  // namespace
}  // namespace weir
