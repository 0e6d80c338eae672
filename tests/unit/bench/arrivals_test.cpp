#include "bench/engine/arrivals.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weir {
namespace {

std::vector<double> seconds_of(const ArrivalOptions& options, uint64_t seed, size_t most) {
  Arrivals arrivals(options, seed);
  std::vector<double> times;
  while (times.size() < most) {
    const std::optional<int64_t> at = arrivals.next();
    if (!at) break;
    times.push_back(static_cast<double>(*at) / 1e9);
  }
  return times;
}

ArrivalOptions at_rate(std::string_view rates, std::string_view kind) {
  ArrivalOptions options;
  options.stages = parse_rates(rates).value();
  EXPECT_TRUE(parse_arrival_kind(kind, &options));
  return options;
}

struct Spread {
  double mean;
  double variation;  // deviation by mean
};

Spread spread_of_distances(const std::vector<double>& times) {
  double before = 0;
  double sum = 0;
  double squares = 0;
  for (const double time : times) {
    const double distance = time - before;
    sum += distance;
    squares += distance * distance;
    before = time;
  }
  const double count = static_cast<double>(times.size());
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean) / mean};
}

TEST(ArrivalsTest, EqualSeedsGiveEqualTimes) {
  for (const char* kind : {"poisson", "constant", "gamma:0.3", "onoff:1s/2s"}) {
    const ArrivalOptions options = at_rate("5:50/2m", kind);
    EXPECT_EQ(seconds_of(options, 7, 1000), seconds_of(options, 7, 1000)) << kind;
  }
  const ArrivalOptions poisson = at_rate("10", "poisson");
  EXPECT_NE(seconds_of(poisson, 7, 10), seconds_of(poisson, 8, 10));
}

TEST(ArrivalsTest, PoissonHasTheRateAndTheDeviationOfAPoissonProcess) {
  const Spread spread = spread_of_distances(seconds_of(at_rate("50", "poisson"), 1, 100'000));
  EXPECT_NEAR(spread.mean, 0.02, 0.0003);
  EXPECT_NEAR(spread.variation, 1, 0.02);
}

TEST(ArrivalsTest, GammaIsAsIrregularAsItsShapeSays) {
  for (const double shape : {0.25, 1.0, 4.0}) {
    const ArrivalOptions options = at_rate("50", "gamma:" + std::to_string(shape));
    const Spread spread = spread_of_distances(seconds_of(options, 1, 200'000));
    EXPECT_NEAR(spread.mean, 0.02, 0.0004) << shape;
    EXPECT_NEAR(spread.variation, 1 / std::sqrt(shape), 0.05 / std::sqrt(shape)) << shape;
  }
}

TEST(ArrivalsTest, ConstantArrivalsStandAtEqualDistances) {
  const std::vector<double> times = seconds_of(at_rate("4", "constant"), 1, 4);
  EXPECT_EQ(times, (std::vector<double>{0.25, 0.5, 0.75, 1.0}));
}

TEST(ArrivalsTest, ARampIsLinearInTime) {
  // From 0 to 100 a second within 10 s: half of all come in the last 2.93 s.
  const std::vector<double> times = seconds_of(at_rate("0:100/10s", "constant"), 1, 10'000);
  ASSERT_EQ(times.size(), 500U);
  EXPECT_NEAR(times[249], 10 / std::sqrt(2.0), 0.001);
  EXPECT_NEAR(times[499], 10, 0.001);
}

TEST(ArrivalsTest, AFallingRampReachesItsEnd) {
  const std::vector<double> times = seconds_of(at_rate("100:0/10s", "constant"), 1, 10'000);
  EXPECT_NEAR(static_cast<double>(times.size()), 500, 1);
  EXPECT_NEAR(times[249], 10 - 10 / std::sqrt(2.0), 0.01);
}

TEST(ArrivalsTest, StagesFollowEachOther) {
  const std::vector<double> times = seconds_of(at_rate("10/2s,0/3s,100/1s", "constant"), 1, 1000);
  ASSERT_EQ(times.size(), 120U);
  EXPECT_NEAR(times[19], 2, 1e-6);
  EXPECT_NEAR(times[20], 5.01, 1e-6);
  EXPECT_NEAR(times[119], 6, 1e-6);
}

TEST(ArrivalsTest, OnOffKeepsTheMeanRateAndIsSilentWhileOff) {
  const std::vector<double> times = seconds_of(at_rate("20", "onoff:5s/15s"), 1, 40'000);
  EXPECT_NEAR(times.back() / 40'000, 1.0 / 20, 0.001);
  for (const double time : times) EXPECT_LE(std::fmod(time, 20.0), 5.0001);
}

TEST(ArrivalsTest, WhatCannotBeReadIsRefused) {
  for (const char* text : {"", "-1", "0", "5:50", "5,10", "5/30", "5/30s,", "x", "1e9", "5/0s"}) {
    EXPECT_FALSE(parse_rates(text)) << text;
  }
  ArrivalOptions options;
  for (const char* text : {"", "gamma", "gamma:0", "onoff:5s", "onoff:0s/1s", "uniform"}) {
    EXPECT_FALSE(parse_arrival_kind(text, &options)) << text;
  }
}

TEST(ArrivalsTest, TheMeanRateIsThatOfItsStages) {
  EXPECT_DOUBLE_EQ(at_rate("20", "poisson").mean_rate(), 20);
  EXPECT_DOUBLE_EQ(at_rate("0:10/10s,20/10s", "poisson").mean_rate(), 12.5);
  EXPECT_DOUBLE_EQ(at_rate("0:10/10s,20/10s", "poisson").length_s(), 20);
}

}  // namespace
}  // namespace weir
