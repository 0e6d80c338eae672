#include "bench/report/samples.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// The wanted values are numpy's: numpy.percentile([1, 2, 3, 4], 99) is 3.97.
TEST(SamplesTest, PercentilesLieBetweenSamplesAsInNumpy) {
  const Samples samples({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(samples.median(), 2.5);
  EXPECT_DOUBLE_EQ(samples.percentile(99), 3.97);
  EXPECT_DOUBLE_EQ(samples.percentile(25), 1.75);
  EXPECT_DOUBLE_EQ(samples.percentile(0), 1);
  EXPECT_DOUBLE_EQ(samples.percentile(100), 4);
}

TEST(SamplesTest, MeanAndDeviationAreOfThePopulation) {
  const Samples samples({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(samples.mean(), 5);
  EXPECT_DOUBLE_EQ(samples.deviation(), 2);
  EXPECT_DOUBLE_EQ(samples.least(), 2);
  EXPECT_DOUBLE_EQ(samples.most(), 9);
}

TEST(SamplesTest, NoneAtAllIsZeroEverywhere) {
  const Samples none;
  EXPECT_EQ(none.mean(), 0);
  EXPECT_EQ(none.median(), 0);
  EXPECT_EQ(none.percentile(99), 0);
  EXPECT_EQ(none.deviation(), 0);
}

TEST(SamplesTest, OneSampleIsEveryPercentile) {
  const Samples one({7});
  EXPECT_EQ(one.percentile(1), 7);
  EXPECT_EQ(one.percentile(99.9), 7);
}

TEST(SamplesTest, APercentileHasATailWhenASampleLiesBeyondIt) {
  EXPECT_TRUE(Samples(std::vector<double>(100, 1)).has_tail(99));
  EXPECT_FALSE(Samples(std::vector<double>(99, 1)).has_tail(99));
  EXPECT_TRUE(Samples(std::vector<double>(1000, 1)).has_tail(99.9));
  EXPECT_FALSE(Samples(std::vector<double>(999, 1)).has_tail(99.9));
}

}  // namespace
}  // namespace weir
