#include "bench/engine/length_choice.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

std::vector<uint32_t> lengths_of(std::string_view text, size_t count) {
  const LengthChoice choice = parse_length_choice(text).value();
  Dice dice(3);
  std::vector<uint32_t> lengths(count);
  std::ranges::generate(lengths, [&] { return choice.choose(dice); });
  return lengths;
}

double mean_of(const std::vector<uint32_t>& lengths) {
  double sum = 0;
  for (const uint32_t length : lengths) sum += length;
  return sum / static_cast<double>(lengths.size());
}

TEST(LengthChoiceTest, AFixedLengthIsAlwaysTheSame) {
  EXPECT_EQ(lengths_of("512", 3), (std::vector<uint32_t>{512, 512, 512}));
}

TEST(LengthChoiceTest, UniformIncludesBothEnds) {
  const std::vector<uint32_t> lengths = lengths_of("uniform:10-12", 1000);
  EXPECT_EQ(*std::ranges::min_element(lengths), 10U);
  EXPECT_EQ(*std::ranges::max_element(lengths), 12U);
  EXPECT_NEAR(mean_of(lengths), 11, 0.1);
}

TEST(LengthChoiceTest, NormalHasItsMean) {
  EXPECT_NEAR(mean_of(lengths_of("normal:500,100", 20'000)), 500, 3);
}

TEST(LengthChoiceTest, LognormalHasItsMedian) {
  std::vector<uint32_t> lengths = lengths_of("lognormal:600,0.8", 20'001);
  std::ranges::sort(lengths);
  EXPECT_NEAR(lengths[10'000], 600, 20);
}

TEST(LengthChoiceTest, BoundsCutTheTails) {
  const std::vector<uint32_t> lengths = lengths_of("lognormal:600,2,min=100,max=1000", 5000);
  EXPECT_EQ(*std::ranges::min_element(lengths), 100U);
  EXPECT_EQ(*std::ranges::max_element(lengths), 1000U);
}

TEST(LengthChoiceTest, WhatCannotBeReadIsRefused) {
  for (const char* text : {"", "0", "1.5", "x", "uniform:9-3", "uniform:5", "normal:5",
                           "lognormal:600,11", "zipf:3", "normal:5,1,min=9,max=3", "99999999999"}) {
    EXPECT_FALSE(parse_length_choice(text)) << text;
  }
}

}  // namespace
}  // namespace weir
