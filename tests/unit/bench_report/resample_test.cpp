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

// Twins differ by chance alone. An interval of 99 % may leave zero out once in a hundred times; of
// 200 seeded pairs no more than 6, which would be 3 %.
constexpr int kTwins = 200;
constexpr int kMostWrong = 6;

bool leaves_zero_out(const Difference& difference) {
  return difference.relative.low > 0 || difference.relative.high < 0;
}

TEST(ResampleTest, TwinsAreTakenForDifferentAsOftenAsTheIntervalSays) {
  for (const double percent : {50.0, 99.0}) {
    int wrong = 0;
    for (uint64_t i = 0; i < kTwins; ++i) {
      ResampleOptions options = quick();
      options.seed = i;
      const Series a = lognormal(2 * i + 1, 100, 100);
      const Series b = lognormal(2 * i + 2, 100, 100);
      wrong += leaves_zero_out(percentile_difference(a, b, percent, options)) ? 1 : 0;
    }
    EXPECT_LE(wrong, kMostWrong) << percent;
  }
}

// Seconds, each of which is in part what the one before it was.
std::vector<double> seconds(uint64_t seed, size_t count, double memory) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<double> values;
  double state = 0;
  for (size_t i = 0; i < count + 20; ++i) {
    double normal = -6;
    for (int j = 0; j < 12; ++j) normal += uniform();
    state = memory * state + std::sqrt(1 - memory * memory) * normal;
    if (i >= 20) values.push_back(20 + 4.5 * state);
  }
  return values;
}

TEST(ResampleTest, TwinsOfSecondsAreSeldomTakenForDifferentHoweverFewTheyAre) {
  for (const size_t count : {size_t{8}, size_t{20}, size_t{60}}) {
    for (const double memory : {0.0, 0.5}) {
      int wrong = 0;
      for (uint64_t i = 0; i < kTwins; ++i) {
        ResampleOptions options = quick();
        options.seed = i;
        wrong += leaves_zero_out(mean_difference(seconds(2 * i + 1, count, memory),
                                                 seconds(2 * i + 2, count, memory), options))
                     ? 1
                     : 0;
      }
      EXPECT_LE(wrong, kMostWrong) << count << " seconds, memory " << memory;
    }
  }
}

TEST(ResampleTest, HalfOfTheRateIsSeenInTwentySeconds) {
  int seen = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    std::vector<double> half = seconds(2 * i + 2, 20, 0.3);
    for (double& value : half) value /= 2;
    seen += mean_difference(seconds(2 * i + 1, 20, 0.3), half, quick()).relative.high < 0 ? 1 : 0;
  }
  EXPECT_GE(seen, 48);
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
