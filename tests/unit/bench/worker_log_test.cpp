#include "bench/engine/worker_log.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

RequestRecord ended_at(uint32_t index, int64_t ended_ns, RequestOutcome outcome) {
  RequestRecord record;
  record.index = index;
  record.planned_ns = 0;
  record.ended_ns = ended_ns;
  record.outcome = outcome;
  return record;
}

TEST(WorkerLogTest, LogsOfSeveralWorkersBecomeOneRun) {
  RunRecord run;
  for (const uint32_t worker : {0U, 1U}) {
    WorkerLog log({});
    const uint16_t mine = log.text_index(worker == 0 ? "stop" : "length");
    RequestRecord record = ended_at(1 - worker, kSecond + worker, RequestOutcome::ok);
    record.finish_reason = mine;
    record.backend = log.backend_index("b" + std::to_string(worker));
    log.ended(record, {worker + 1, worker + 2});
    merge_log(std::move(log), &run);
  }
  sort_requests(&run);
  ASSERT_EQ(run.requests.size(), 2U);
  EXPECT_EQ(run.texts[run.requests[0].finish_reason], "length");
  EXPECT_EQ(run.backends[run.requests[0].backend], "b1");
  EXPECT_EQ(run.gaps_of(run.requests[0])[0], 2U);
  EXPECT_EQ(run.gaps_of(run.requests[1])[0], 1U);
  EXPECT_EQ(run.timeline[1].ok, 2U);
  EXPECT_EQ(run.workers.size(), 2U);
  EXPECT_EQ(run.ended_ns, kSecond + 1);
}

TEST(WorkerLogTest, WhatIsBeyondTheBoundsIsCountedOnly) {
  WorkerLog log({.requests = 2, .gaps = 3, .seconds = 2, .names = 3});
  log.ended(ended_at(0, 0, RequestOutcome::ok), {1, 2});
  log.ended(ended_at(1, 0, RequestOutcome::ok), {1, 2});
  log.ended(ended_at(2, 9 * kSecond, RequestOutcome::failed), {1});
  log.ended(ended_at(3, 9 * kSecond, RequestOutcome::failed), {});
  EXPECT_EQ(log.requests.size(), 2U);
  EXPECT_EQ(log.not_kept, 2U);
  EXPECT_EQ(log.timeline.size(), 2U);
  EXPECT_EQ(log.timeline[1].failed, 2U);
  for (const char* name : {"a", "b", "c", "d", "e"}) log.text_index(name);
  EXPECT_EQ(log.texts, (std::vector<std::string>{"", "a", "b", "(others)"}));
}

TEST(LogHistogramTest, PercentilesAreExactToThreePercent) {
  LogHistogram histogram;
  for (int64_t value = 1; value <= 100'000; ++value) histogram.add(value * 1000);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(50)), 50e6, 1.5e6);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(99)), 99e6, 3e6);
  EXPECT_EQ(histogram.max(), 100'000'000);
  EXPECT_EQ(histogram.percentile(100), histogram.max());
}

TEST(LogHistogramTest, MergedOnesAreAsIfAllHadGoneIntoOne) {
  LogHistogram all;
  LogHistogram one;
  LogHistogram other;
  for (int64_t value = 0; value < 5000; ++value) {
    all.add(value * value);
    (value % 2 == 0 ? one : other).add(value * value);
  }
  one.merge(other);
  for (const double percent : {1.0, 50.0, 99.9}) {
    EXPECT_EQ(one.percentile(percent), all.percentile(percent));
  }
  EXPECT_EQ(one.count(), 5000U);
  EXPECT_EQ(LogHistogram().percentile(50), 0);
}

}  // namespace
}  // namespace weir
