#include "bench/report/condition.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using Measure = Condition::Measure;

Condition condition(const std::string& text) {
  const auto conditions = parse_conditions({text}, "--slo");
  EXPECT_TRUE(conditions) << text;
  return conditions && conditions->size() == 1 ? conditions->front() : Condition{};
}

std::string problem_of(const std::string& text) {
  const auto conditions = parse_conditions({text}, "--slo");
  return conditions ? "" : conditions.error().what;
}

TEST(ConditionTest, OursAndVllmsNamesMeanTheSame) {
  for (const std::string text :
       {"ttft_p99<500ms", "p99_ttft_ms<500", "ttft<0.5s", "ttft_p99=500"}) {
    const Condition read = condition(text);
    EXPECT_EQ(read.measure, Measure::ttft) << text;
    EXPECT_EQ(read.percent, 99) << text;
    EXPECT_EQ(read.limit, 500) << text;
    EXPECT_FALSE(read.is_above) << text;
  }
}

TEST(ConditionTest, MeansMaximaAndMediansAreMeasuresToo) {
  EXPECT_EQ(condition("itl_mean<20ms").statistic, Condition::Statistic::mean);
  EXPECT_EQ(condition("e2el_max<20s").statistic, Condition::Statistic::most);
  EXPECT_EQ(condition("median_tpot_ms<20").percent, 50);
  EXPECT_EQ(condition("itl_p99.9<20ms").percent, 99.9);
}

TEST(ConditionTest, CountsMayBeShares) {
  EXPECT_FALSE(condition("errors>0").is_share);
  EXPECT_TRUE(condition("errors<1%").is_share);
  EXPECT_DOUBLE_EQ(condition("errors<1%").limit, 0.01);
  EXPECT_EQ(condition("goodput>95%").measure, Measure::goodput_share);
  EXPECT_EQ(condition("goodput>9.5").measure, Measure::goodput);
}

TEST(ConditionTest, TheLimitItselfIsInOnlyWhenSaid) {
  EXPECT_FALSE(condition("errors<3").holds_for(3));
  EXPECT_TRUE(condition("errors<=3").holds_for(3));
  EXPECT_FALSE(condition("goodput>3").holds_for(3));
  EXPECT_TRUE(condition("goodput>=3").holds_for(3));
}

TEST(ConditionTest, CommasAndSpacesSeparate) {
  const auto conditions = parse_conditions({"ttft_p99 < 500ms, itl_p99<50ms", "errors<1"}, "--slo");
  ASSERT_TRUE(conditions);
  EXPECT_EQ(conditions->size(), 3u);
  EXPECT_EQ((*conditions)[0].text, "ttft_p99<500ms");
}

TEST(ConditionTest, WhatCannotBeReadIsNamed) {
  EXPECT_NE(problem_of("ttft_p99").find("--slo ttft_p99: there is no < or >"), std::string::npos);
  EXPECT_NE(problem_of("tttf<5").find("\"tttf\" is none of ttft, tpot"), std::string::npos);
  EXPECT_NE(problem_of("ttft_p99<fast").find("\"fast\" is no limit"), std::string::npos);
  EXPECT_NE(problem_of("ttft_p0<5"), "");
  EXPECT_NE(problem_of("ttft_p100<5"), "");
  EXPECT_NE(problem_of("ttft<5%"), "");
  EXPECT_NE(problem_of("<5"), "");
  EXPECT_NE(problem_of("output_throughput>50%"), "");
  EXPECT_NE(problem_of("errors_p99<5"), "");
  EXPECT_NE(problem_of("ttft<-5"), "");
  EXPECT_NE(problem_of("ttft<nan"), "");
}

TEST(ConditionTest, GoodputTakesVllmsWords) {
  const auto limits = parse_goodput({"ttft:500", "tpot:0.05s,itl=80ms"});
  ASSERT_TRUE(limits);
  ASSERT_EQ(limits->size(), 3u);
  EXPECT_EQ((*limits)[0].limit_ms, 500);
  EXPECT_EQ((*limits)[1].measure, GoodputLimit::Measure::tpot);
  EXPECT_EQ((*limits)[1].limit_ms, 50);
  EXPECT_FALSE(parse_goodput({"errors:5"}));
  EXPECT_FALSE(parse_goodput({"ttft"}));
}

TEST(ConditionTest, PercentilesAlwaysHaveTheMedianAndTheNinetyNinth) {
  const auto percents = parse_percentiles("99.9, 90,50");
  ASSERT_TRUE(percents);
  EXPECT_EQ(*percents, (std::vector<double>{50, 90, 99, 99.9}));
  EXPECT_FALSE(parse_percentiles("100"));
  EXPECT_FALSE(parse_percentiles("p99"));
  EXPECT_FALSE(parse_percentiles("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"));
  EXPECT_EQ(percent_text(99.9), "99.9");
  EXPECT_EQ(percent_text(99), "99");
}

}  // namespace
}  // namespace weir
