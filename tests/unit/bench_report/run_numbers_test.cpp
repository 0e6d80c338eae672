#include "bench/report/run_numbers.h"

#include <gtest/gtest.h>

#include "tests/unit/bench_report/made_run.h"

namespace weir {
namespace {

RunNumbers numbers(const RunRecord& run) {
  return numbers_of(run, {});
}

TEST(RunNumbersTest, LatencyCountsFromThePlanAndBesideThatFromTheSend) {
  MadeRun made;
  made.add({.planned = 0, .sent = 30, .ttft = 130, .gaps = {20, 40}});
  const LatencyNumbers latency = numbers(made.run).latency;
  EXPECT_DOUBLE_EQ(latency.ttft.median(), 130);
  EXPECT_DOUBLE_EQ(latency.ttft_from_send.median(), 100);
  EXPECT_DOUBLE_EQ(latency.e2el.median(), 190);
  EXPECT_DOUBLE_EQ(latency.e2el_from_send.median(), 160);
  EXPECT_DOUBLE_EQ(latency.start_delay.median(), 30);
}

TEST(RunNumbersTest, EveryGapIsASample) {
  MadeRun made;
  made.add({.gaps = {20, 20, 520}});
  made.add({.gaps = {20}});
  const LatencyNumbers latency = numbers(made.run).latency;
  EXPECT_EQ(latency.itl.count(), 4u);
  EXPECT_DOUBLE_EQ(latency.itl.most(), 520);
  EXPECT_DOUBLE_EQ(latency.itl.median(), 20);
}

TEST(RunNumbersTest, TpotCountsTokensByUsageNotByEvents) {
  MadeRun made;
  made.add({.gaps = {80, 80, 80}, .tokens = 13});  // four tokens an event
  EXPECT_DOUBLE_EQ(numbers(made.run).latency.tpot.median(), 20);
}

TEST(RunNumbersTest, OneTokenHasNoTpot) {
  MadeRun made;
  made.add({.gaps = {}});
  EXPECT_TRUE(numbers(made.run).latency.tpot.is_empty());
  EXPECT_EQ(numbers(made.run).latency.ttft.count(), 1u);
}

TEST(RunNumbersTest, OnlyWholeAnswersAreInLatencyAndThroughput) {
  MadeRun made;
  made.add_many(10, 500, {});
  RunNumbers before = numbers(made.run);
  made.add({.planned = 100,
            .ttft = 9,
            .outcome = RequestOutcome::truncated,
            .fault = RequestFault::cut});
  made.add({.planned = 200, .ttft = 9, .outcome = RequestOutcome::failed});
  made.add({.planned = 300, .ttft = 9, .outcome = RequestOutcome::rejected});
  made.add({.planned = 400, .ttft = 9, .outcome = RequestOutcome::unfinished});
  const RunNumbers after = numbers(made.run);
  EXPECT_EQ(after.latency.ttft.count(), 10u);
  EXPECT_EQ(after.throughput.output_tokens, before.throughput.output_tokens);
  EXPECT_EQ(after.tokens.output, before.tokens.output);
  EXPECT_EQ(after.counts.lost(), 3u);
  EXPECT_EQ(after.counts.ok(), 10u);
  EXPECT_EQ(after.counts.faults[static_cast<size_t>(RequestFault::cut)], 1u);
}

TEST(RunNumbersTest, WarmUpIsInNeitherCountsNorLatency) {
  MadeRun made;
  made.add({.ttft = 900, .is_warm_up = true});
  made.add({.planned = 1000});
  const RunNumbers after = numbers(made.run);
  EXPECT_EQ(after.counts.total, 1u);
  EXPECT_EQ(after.warm_up, 1u);
  EXPECT_DOUBLE_EQ(after.latency.ttft.most(), 100);
}

TEST(RunNumbersTest, ThroughputIsOfTheSteadyWindowAndCountsTokensWhereTheyCame) {
  MadeRun made;
  // Ten tokens, 200 ms apart, from 0.2 s to 2.0 s: the window of 1 s to 2 s holds six of them.
  made.add({.ttft = 200, .gaps = std::vector<int64_t>(9, 200), .is_warm_up = true});
  made.run.steady_begin_ns = 1000 * kMs;
  made.run.steady_end_ns = 2000 * kMs;
  made.run.ended_ns = 5000 * kMs;
  const RunNumbers after = numbers(made.run);
  EXPECT_TRUE(after.window.is_steady);
  EXPECT_DOUBLE_EQ(after.throughput.events, 6);
  EXPECT_DOUBLE_EQ(after.throughput.output_tokens, 6);
  EXPECT_DOUBLE_EQ(after.throughput.requests, 1);
}

TEST(RunNumbersTest, WithoutASteadySecondTheWholeRunIsTheWindow) {
  MadeRun made;
  made.add_many(4, 0, {});  // all at once: planned at 0, ended at 160 ms
  const RunNumbers after = numbers(made.run);
  EXPECT_FALSE(after.window.is_steady);
  EXPECT_DOUBLE_EQ(after.window.seconds(), 0.16);
  EXPECT_DOUBLE_EQ(after.throughput.requests, 25);
}

TEST(RunNumbersTest, WithoutUsageTheEventsThatCameAreTheTokens) {
  MadeRun made;
  made.add({.gaps = {20, 20}}).output_tokens = -1;
  const RunNumbers after = numbers(made.run);
  EXPECT_EQ(after.tokens.output, 3u);
  EXPECT_EQ(after.tokens.without_usage, 1u);
}

TEST(RunNumbersTest, GoodputNeedsEveryLimitAndAWholeAnswer) {
  MadeRun made;
  made.add_many(6, 500, {});
  made.add({.planned = 100, .ttft = 600});
  made.add({.planned = 200, .gaps = {90, 90}});
  made.add({.planned = 300, .outcome = RequestOutcome::truncated});
  const RunNumbers after = numbers_of(made.run, *parse_goodput({"ttft:500ms,tpot:50ms"}));
  ASSERT_TRUE(after.goodput);
  EXPECT_EQ(after.goodput->good, 6u);
  EXPECT_DOUBLE_EQ(after.goodput->share, 6.0 / 9);
  EXPECT_DOUBLE_EQ(after.goodput->per_s, 2);  // five ended in the 2.5 s of the window
}

TEST(RunNumbersTest, BackendsAreToldApart) {
  MadeRun made;
  made.run.backends = {"a", "b", "idle"};
  made.add_many(30, 100, {.gaps = {20, 20, 20}, .backend = 0});
  made.add_many(10, 100, {.gaps = {40, 40, 40}, .backend = 1});
  made.add_many(20, 100, {.gaps = {40, 40, 40}, .backend = 1});
  const RunNumbers after = numbers(made.run);
  ASSERT_EQ(after.backends.size(), 2u);
  EXPECT_EQ(after.backends[0].name, "a");
  EXPECT_EQ(after.backends[0].counts.total, 30u);
  EXPECT_DOUBLE_EQ(after.backends[1].latency.tpot.median(), 40);
  EXPECT_EQ(after.backends[0].remark, "");
  EXPECT_EQ(after.backends[1].remark, "slow: TPOT +100 %");
  EXPECT_DOUBLE_EQ(after.imbalance.most_to_mean, 1);
}

TEST(RunNumbersTest, ImbalanceIsTheMostWorkToTheMean) {
  MadeRun made;
  made.run.backends = {"a", "b"};
  made.add_many(3, 100, {.backend = 0});
  made.add_many(1, 100, {.backend = 1});
  const RunNumbers after = numbers(made.run);
  EXPECT_DOUBLE_EQ(after.imbalance.most_to_mean, 1.5);
  EXPECT_DOUBLE_EQ(after.imbalance.jain, 0.8);
}

TEST(RunNumbersTest, AnswersThatNameNoBackendMakeNoTable) {
  MadeRun made;
  made.add_many(3, 100, {});
  EXPECT_TRUE(numbers(made.run).backends.empty());
}

TEST(RunNumbersTest, TheMostAtOnceIsExact) {
  MadeRun made;
  made.add_many(3, 160, {});  // each takes 160 ms: one ends when the next begins
  EXPECT_EQ(numbers(made.run).most_open, 1u);
  made.add({.planned = 10});
  EXPECT_EQ(numbers(made.run).most_open, 2u);
}

TEST(RunNumbersTest, AnEmptyRunHasNumbersToo) {
  const RunRecord empty;
  const RunNumbers after = numbers(empty);
  EXPECT_EQ(after.counts.total, 0u);
  EXPECT_EQ(after.throughput.requests, 0);
  EXPECT_EQ(after.duration_s, 0);
}

}  // namespace
}  // namespace weir
