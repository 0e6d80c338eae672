#include "bench/report/trust.h"

#include <gtest/gtest.h>

#include "bench/report/verdict.h"
#include "tests/unit/bench_report/made_run.h"

namespace weir {
namespace {

class TrustTest : public testing::Test {
 protected:
  TrustTest() {
    made.add_many(100, 100, {});
    lag(&WorkerRecord::loop_lag, kMs / 10);
    lag(&WorkerRecord::start_lag, kMs / 10);
  }

  void lag(LogHistogram WorkerRecord::*which, int64_t ns) {
    for (int i = 0; i < 100; ++i) (made.run.workers[0].*which).add(ns);
  }

  TrustReport judge() { return trust_in(made.run, numbers_of(made.run, {})); }

  std::string reason() {
    const TrustReport report = judge();
    return report.reasons.empty() ? "" : report.reasons.front();
  }

  MadeRun made;
};

TEST_F(TrustTest, AnIdleTesterIsTrusted) {
  EXPECT_EQ(reason(), "");
  EXPECT_TRUE(judge().remarks.empty());
}

TEST_F(TrustTest, ALateEventLoopIsNot) {
  lag(&WorkerRecord::loop_lag, 40 * kMs);
  EXPECT_EQ(reason().substr(0, 16), "event loop late:");
}

TEST_F(TrustTest, ALateEventLoopDoesNotMatterWhereTheKernelTookTheTimes) {
  lag(&WorkerRecord::loop_lag, 40 * kMs);
  made.run.has_kernel_times = true;
  EXPECT_EQ(reason(), "");
}

TEST_F(TrustTest, LatenessIsHeldAgainstWhatItDistorts) {
  lag(&WorkerRecord::start_lag, 9 * kMs);  // TTFT is 100 ms
  EXPECT_EQ(reason(), "");
  lag(&WorkerRecord::start_lag, 12 * kMs);
  EXPECT_EQ(reason().substr(0, 22), "requests started late:");
}

TEST_F(TrustTest, AFullCoreIsNot) {
  made.run.workers[0].cpu_ns = made.run.workers[0].wall_ns * 9 / 10;
  EXPECT_EQ(reason(), "own core full: 90.0 % busy over the run");
}

TEST_F(TrustTest, ACoreThatWasFullForASecondIsNot) {
  made.run.workers[0].busy_most = 0.99;
  EXPECT_EQ(reason(), "own core full: 99.0 % busy in its worst second");
}

// The signature of a saturated tester: many chunks in one read, TPOT as it should be.
TEST_F(TrustTest, BunchesInALateTesterAreNot) {
  made.run.requests.clear();
  made.add_many(100, 100, {.gaps = {0, 0, 0, 80, 0, 0, 0, 80}});
  lag(&WorkerRecord::loop_lag, 40 * kMs);
  made.run.has_kernel_times = true;
  EXPECT_EQ(reason().substr(0, 52), "events came in bunches: ITL p50 0.00 ms against TPOT");
}

TEST_F(TrustTest, BunchesInAnIdleTesterAreThePools) {
  made.run.requests.clear();
  made.add_many(100, 100, {.gaps = {0, 0, 0, 80, 0, 0, 0, 80}});
  EXPECT_EQ(reason(), "");
  EXPECT_NE(judge().remarks.front().find("the pool or the way to it"), std::string::npos);
}

TEST_F(TrustTest, SeveralTokensInOneEventAreNoBunches) {
  made.run.requests.clear();
  made.add_many(100, 100, {.gaps = {80, 80, 80}, .tokens = 16});
  EXPECT_TRUE(judge().remarks.empty());
}

TEST_F(TrustTest, TooFewSamplesAreNot) {
  made.run.requests.resize(19);
  EXPECT_EQ(reason(), "too few samples: 19 whole answers, at least 20 are needed");
}

TEST_F(TrustTest, ALoadThatWasNotMadeIsNot) {
  made.run.not_started = 30;
  EXPECT_NE(reason().find("30 planned requests never sent"), std::string::npos);
}

TEST_F(TrustTest, PercentilesWithoutTheSlowOnesAreNot) {
  made.add_many(50, 100, {.outcome = RequestOutcome::unfinished});
  EXPECT_NE(reason().find("50 requests of 150 had not ended"), std::string::npos);
}

class VerdictTest : public TrustTest {
 protected:
  int status() {
    const RunNumbers numbers = numbers_of(made.run, {});
    return verdict_of(numbers, trust_in(made.run, numbers), options).exit_status;
  }
  void slo(const std::string& text) { options.slo = *parse_conditions({text}, "--slo"); }

  VerdictOptions options;
};

TEST_F(VerdictTest, AllIsWell) {
  slo("ttft_p99<200ms,errors<1");
  EXPECT_EQ(status(), 0);
}

TEST_F(VerdictTest, ABrokenSloIsThree) {
  slo("ttft_p99<50ms");
  EXPECT_EQ(status(), 3);
}

TEST_F(VerdictTest, WhatHasNoNumberBreaksAnSlo) {
  slo("goodput>1");
  EXPECT_EQ(status(), 3);
}

TEST_F(VerdictTest, AnUntrustedRunIsFourWhateverItsSloSays) {
  lag(&WorkerRecord::loop_lag, 40 * kMs);
  slo("ttft_p99<50ms");
  EXPECT_EQ(status(), 4);
  slo("ttft_p99<500ms");
  EXPECT_EQ(status(), 4);
}

TEST_F(VerdictTest, ALostRequestIsOneEvenWhenNotTrusted) {
  made.add({.outcome = RequestOutcome::truncated});
  EXPECT_EQ(status(), 1);
  lag(&WorkerRecord::loop_lag, 40 * kMs);
  EXPECT_EQ(status(), 1);
}

TEST_F(VerdictTest, LostRequestsMayBeAllowed) {
  made.add({.outcome = RequestOutcome::failed});
  options.allow_failed = true;
  EXPECT_EQ(status(), 0);
  options.fail_on = *parse_conditions({"errors>0"}, "--fail-on");
  EXPECT_EQ(status(), 1);
  options.fail_on = *parse_conditions({"errors>1%"}, "--fail-on");
  EXPECT_EQ(status(), 0);
}

}  // namespace
}  // namespace weir
