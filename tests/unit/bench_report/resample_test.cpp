#include "bench/report/resample.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace weir {
namespace {

Series lognormal(uint64_t seed, int count, double scale) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Series series;
  for (int i = 0; i < count; ++i) {
    const double normal = std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.2832 * uniform());
    series.add(static_cast<uint32_t>(i), scale * std::exp(0.25 * normal));
  }
  series.finish(100'000);
  return series;
}

ResampleOptions quick() {
  ResampleOptions options;
  options.rounds = 200;
  return options;
}

TEST(ResampleTest, TheSameSeedGivesTheSameInterval) {
  const Series a = lognormal(1, 200, 100);
  const Series b = lognormal(2, 200, 110);
  const Difference one = percentile_difference(a, b, 50, quick());
  const Difference two = percentile_difference(a, b, 50, quick());
  EXPECT_EQ(one.relative.low, two.relative.low);
  EXPECT_EQ(one.relative.high, two.relative.high);
}

TEST(ResampleTest, ARealChangeLiesInTheIntervalAndNoChangeDoesNot) {
  const Difference change =
      percentile_difference(lognormal(1, 400, 100), lognormal(2, 400, 130), 50, quick());
  EXPECT_GT(change.relative.low, 0);
  EXPECT_LT(change.relative.low, 0.30);
  EXPECT_GT(change.relative.high, 0.30);
}

// Twins differ by chance alone: hardly an interval may leave zero out.
TEST(ResampleTest, TwinsAreSeldomTakenForDifferent) {
  int wrong = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    const Difference twins = percentile_difference(lognormal(100 + i, 60, 100),
                                                   lognormal(900 + i, 60, 100), 50, quick());
    wrong += twins.relative.low > 0 || twins.relative.high < 0 ? 1 : 0;
  }
  EXPECT_LE(wrong, 3);
}

TEST(ResampleTest, GapsOfOneRequestAreDrawnTogether) {
  Series series;  // two requests of very different pace: by gaps this would look certain
  for (int i = 0; i < 1000; ++i) series.add(0, 10);
  for (int i = 0; i < 1000; ++i) series.add(1, 30);
  series.finish(100'000);
  const Difference twins = percentile_difference(series, series, 50, quick());
  EXPECT_LE(twins.relative.low, -0.6);
  EXPECT_GE(twins.relative.high, 1.9);
}

TEST(ResampleTest, LongSeriesAreThinnedByWholeRequestsAndTheValueIsOfAll) {
  Series series;
  for (uint32_t owner = 0; owner < 1000; ++owner) {
    for (int i = 0; i < 10; ++i) series.add(owner, owner);
  }
  series.finish(1000);
  EXPECT_EQ(series.count(), 10'000u);
  EXPECT_LE(series.owners(), 100u);
  EXPECT_NEAR(series.percentile(50), 499.5, 0.6);
}

TEST(ResampleTest, MeansOfSecondsAreDrawnInBlocks) {
  const std::vector<double> a(30, 100);
  std::vector<double> b(30, 150);
  b[3] = 140;
  const Difference change = mean_difference(a, b, quick());
  EXPECT_GT(change.relative.low, 0.4);
  EXPECT_LT(change.relative.high, 0.51);
  EXPECT_EQ(mean_difference({}, b, quick()).absolute.high, 0);
}

TEST(ResampleTest, SharesOfFewRequestsAreUncertain) {
  const Difference few = share_difference({0, 30}, {1, 30}, quick());
  EXPECT_LE(few.absolute.low, 0);
  const Difference many = share_difference({0, 300}, {60, 300}, quick());
  EXPECT_GT(many.absolute.low, 0.1);
}

}  // namespace
}  // namespace weir
