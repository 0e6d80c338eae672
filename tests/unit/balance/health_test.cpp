// The health of backends, through the balancer and alone.
#include "lb/balance/backend_health.h"
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class HealthTest : public BalancerTest {};

TEST_F(HealthTest, RefusedBeforeItWasEverReadyIsLoading) {
  backends("a");
  EXPECT_EQ(state("a"), "untried");
  refuses("a");
  EXPECT_EQ(state("a"), "loading");
  EXPECT_EQ(backend("a").reason, "probe: connection refused");
  EXPECT_EQ(asks().state(), "backends_loading");
}

TEST_F(HealthTest, RefusedAfterItWasReadyIsDownAtOnce) {
  ready_backends("a b");
  refuses("a");
  EXPECT_EQ(state("a"), "down");
  EXPECT_EQ(picks(2), "bb");
}

TEST_F(HealthTest, AnsweringBelow500IsAlive) {
  for (const int status : {200, 204, 301, 401, 404, 429, 499}) {
    backends("a");
    answers("a", status);
    EXPECT_EQ(state("a"), "ready") << status;
    backends("");
  }
}

TEST_F(HealthTest, Answering503BeforeTheFirstReadyIsLoading) {
  backends("a");
  answers("a", 503);
  EXPECT_EQ(state("a"), "loading");
  EXPECT_EQ(backend("a").reason, "probe: answered 503");
  answers("a", 200);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(HealthTest, TheFirstBadProbeMakesSuspectAndTheThirdInARowDown) {
  ready_backends("a");
  times_out("a");
  EXPECT_EQ(state("a"), "suspect");
  EXPECT_EQ(asks().state(), "a");
  answers("a", 500);
  EXPECT_EQ(state("a"), "suspect");
  answers("a", 503);
  EXPECT_EQ(state("a"), "down");
  EXPECT_EQ(backend("a").reason, "probe: answered 503");
}

TEST_F(HealthTest, AGoodProbeBetweenBadOnesStartsTheCountAnew) {
  ready_backends("a");
  for (int i = 0; i < 5; ++i) {
    times_out("a");
    times_out("a");
    answers("a", 200);
  }
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(HealthTest, RiseGoodProbesInARowMakeReadyAgain) {
  options.health.rise = 2;
  ready_backends("a");
  answers("a", 200);
  refuses("a");
  answers("a", 200);
  EXPECT_EQ(state("a"), "down");
  times_out("a");
  answers("a", 200);
  EXPECT_EQ(state("a"), "down");
  answers("a", 200);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(HealthTest, ABackendThatNeverAnswersIsDownAfterItsLastChance) {
  backends("a");
  times_out("a");
  times_out("a");
  EXPECT_EQ(state("a"), "untried");
  times_out("a");
  EXPECT_EQ(state("a"), "down");
  EXPECT_EQ(asks().state(), "no_backend_ready");
}

TEST_F(HealthTest, AnExchangeThatIsRefusedSaysTheSameAsAProbe) {
  backends("a b");
  answers("a", 200);
  TestClient& on_a = asks();
  TestClient& on_b = asks();
  on_a.lease.failed({ErrorKind::connect_refused}, now);
  on_b.lease.failed({ErrorKind::connect_refused}, now);
  EXPECT_EQ(state("a"), "down");
  EXPECT_EQ(state("b"), "loading");
  EXPECT_EQ(backend("a").reason, "request: connection refused");
}

TEST_F(HealthTest, OtherFailuresOfExchangesDoNotTakeABackendDown) {
  ready_backends("a");
  for (int i = 0; i < 10; ++i) {
    asks().lease.failed({ErrorKind::backend_closed}, now);
    asks().lease.failed({ErrorKind::connect_timeout}, now);
  }
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(backend("a").failures, 20U);
}

TEST_F(HealthTest, AWholeAnswerProvesABackendThatNobodyProbed) {
  backends("a");
  asks().lease.succeeded(now);
  EXPECT_EQ(state("a"), "ready");
  refuses("a");
  EXPECT_EQ(state("a"), "down");
}

TEST_F(HealthTest, TheLastStreamOfARefusingBackendDoesNotBringItBack) {
  ready_backends("a");
  TestClient& one = asks();
  refuses("a");
  one.lease.succeeded(now);
  EXPECT_EQ(state("a"), "down");
}

TEST_F(HealthTest, UntriedBackendsAreLeftAloneIfSoWished) {
  options.tries_unprobed = false;
  backends("a");
  EXPECT_EQ(asks().state(), "backends_loading");
  answers("a", 200);
  EXPECT_EQ(asks().state(), "a");
}

TEST_F(HealthTest, ADrainingBackendFinishesWhatItHasAndTakesNoMore) {
  ready_backends("a b");
  TestClient& one = asks();
  drains("a");
  EXPECT_EQ(state("a"), "draining");
  EXPECT_EQ(backend("a").outstanding, 1U);
  EXPECT_EQ(picks(2), "bb");
  one.lease = Lease();
  EXPECT_EQ(backend("a").outstanding, 0U);
}

TEST_F(HealthTest, WhatHappenedWhileDrainingShowsAfterwards) {
  ready_backends("a");
  drains("a");
  refuses("a");
  EXPECT_EQ(state("a"), "draining");
  drains("a", false);
  EXPECT_EQ(state("a"), "down");
}

TEST_F(HealthTest, ALeaseKnowsSinceWhenItsBackendsPortRefuses) {
  ready_backends("a");
  TestClient& one = asks();
  EXPECT_FALSE(one.lease.refusing_since());
  const TimePoint first = now;
  refuses("a");
  now += 1s;
  refuses("a");
  EXPECT_EQ(one.lease.refusing_since(), first);
  answers("a", 503);
  EXPECT_FALSE(one.lease.refusing_since());
}

TEST_F(HealthTest, ObserversHearEveryChangeOfStateOnce) {
  backends("a");
  refuses("a");
  refuses("a");
  answers("a", 200);
  answers("a", 200);
  times_out("a");
  refuses("a");
  drains("a");
  drains("a");
  EXPECT_EQ(events,
            "a:untried>loading a:loading>ready a:ready>suspect a:suspect>down a:down>draining ");
}

TEST_F(HealthTest, SinceIsTheMomentOfTheLastChange) {
  ready_backends("a");
  const TimePoint ready = now;
  now += 10s;
  answers("a", 200);
  EXPECT_EQ(backend("a").since, ready);
  refuses("a");
  EXPECT_EQ(backend("a").since, now);
}

TEST(BackendHealthTest, AnErrnoIsSaidInWords) {
  BackendHealth health({}, {});
  health.on_probe({ProbeResult::Kind::failed, 0, 113}, false, {});
  EXPECT_EQ(health.reason(), "probe: No route to host");
  health.on_probe({ProbeResult::Kind::failed, 0, 0}, false, {});
  EXPECT_EQ(health.reason(), "probe: no valid answer");
}

}  // namespace
}  // namespace weir
