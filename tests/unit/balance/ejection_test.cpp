// Passive ejection: failures in a row take a backend out for a while; then one request tries it.
#include "lb/balance/ejection.h"

#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class EjectionTest : public BalancerTest {
 protected:
  EjectionTest() {
    options.health.eject_failures = 3;
    options.health.eject_base = 10s;
    options.health.eject_most = 40s;
  }

  // Until the one that is out is tried; its time is jittered by a tenth.
  void until_trial(const std::string& id, Duration at_most = 60s) {
    for (const TimePoint end = now + at_most; !backend(id).is_tried; passes(100ms)) {
      ASSERT_LT(now, end);
    }
  }
  Duration out_for(const std::string& id) {
    const TimePoint begin = now;
    until_trial(id);
    return now - begin;
  }
  bool is_about(Duration span, Duration wanted) {
    return span >= wanted / 10 * 9 && span <= wanted / 10 * 11 + 100ms;
  }
};

TEST_F(EjectionTest, FailuresInARowTakeABackendOut) {
  ready_backends("a b");
  fails("a", 2);
  EXPECT_EQ(state("a"), "ready");
  fails("a", 1);
  EXPECT_EQ(state("a"), "ejected");
  EXPECT_EQ(backend("a").since, now);
  EXPECT_EQ(picks(3), "bbb");
  EXPECT_EQ(backend("a").ejections, 1U);
}

TEST_F(EjectionTest, TheReasonSaysWhatHappenedAndWhatWill) {
  ready_backends("a b");
  fails("a", 3);
  const std::string text = backend("a").reason;
  EXPECT_EQ(text.substr(0, text.rfind(' ', text.rfind(' ') - 1)),
            "3 failures in a row: connection closed; tried again in");
  until_trial("a");
  EXPECT_EQ(backend("a").reason,
            "3 failures in a row: connection closed; the next request tries it");
  EXPECT_EQ(state("a"), "ejected");
}

TEST_F(EjectionTest, ASuccessBetweenFailuresStartsTheCountAnew) {
  ready_backends("a b");
  for (int i = 0; i < 5; ++i) {
    fails("a", 2);
    succeeds("a");
  }
  EXPECT_EQ(backend("a").ejections, 0U);
}

TEST_F(EjectionTest, EveryFailureThatSpeaksAgainstABackendCountsAndNoOtherDoes) {
  for (int i = 0; i < kErrorKinds; ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (kind == ErrorKind::connect_refused) continue;  // takes it down at once
    ready_backends("a b");
    fails("a", 3, kind);
    EXPECT_EQ(state("a") == "ejected", traits(kind).against_health) << name(kind);
    backends("");
  }
}

TEST_F(EjectionTest, BusyIsNotIll) {
  ready_backends("a b");
  fails("a", 100, ErrorKind::backend_declined);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, AConnectionThatWentStaleDoesNotCount) {
  ready_backends("a b");
  for (int i = 0; i < 10; ++i) asks_for("a").lease.failed({ErrorKind::backend_closed, true}, now);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, NobodyIsEjectedIfSoWished) {
  options.health.eject_failures = 0;
  ready_backends("a b");
  fails("a", 100);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, TheLastUsableBackendIsNeverEjected) {
  ready_backends("a");
  fails("a", 100);
  EXPECT_EQ(state("a"), "ready");
  ready_backends("a b c d");
  refuses("b");
  drains("c");
  refuses("d");
  fails("a", 3);
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(asks().state(), "a");
}

TEST_F(EjectionTest, AtMostHalfOfThePoolIsEjected) {
  ready_backends("a b c d e");
  for (const char* id : {"a", "b", "c", "d", "e"}) fails(id, 10);
  EXPECT_EQ(state("a"), "ejected");
  EXPECT_EQ(state("b"), "ejected");
  for (const char* id : {"c", "d", "e"}) EXPECT_EQ(state(id), "ready") << id;
}

TEST_F(EjectionTest, WhoCouldNotBeEjectedIsWhenThereIsAnotherAgain) {
  ready_backends("a b");
  refuses("b");
  fails("a", 10);
  EXPECT_EQ(state("a"), "ready");
  answers("b", 200);
  fails("a", 1);
  EXPECT_EQ(state("a"), "ejected");
}

TEST_F(EjectionTest, TheEjectedAreTakenBackWhenTheLastOtherOneGoes) {
  ready_backends("a b c d");
  fails("a", 3);
  fails("b", 3);
  refuses("c");
  EXPECT_EQ(state("a"), "ejected");
  drains("d");
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(state("b"), "ready");
  EXPECT_EQ(picks(4), "abab");
}

TEST_F(EjectionTest, NoMoreThanHalfStaysEjectedWhenThePoolShrinks) {
  ready_backends("a b c d");
  fails("a", 3);
  passes(1s);
  fails("b", 3);
  backends("a b d");
  EXPECT_EQ(state("a") + " " + state("b"), "ready ejected");
}

TEST_F(EjectionTest, ExactlyOneRequestTriesABackendWhoseTimeIsOver) {
  ready_backends("a b");
  fails("a", 3);
  picks(3);
  until_trial("a");
  EXPECT_EQ(picks(4), "abbb");
}

TEST_F(EjectionTest, ATrialThatSucceedsBringsItBack) {
  ready_backends("a b");
  fails("a", 3);
  picks(1);
  until_trial("a");
  TestClient& trial = asks();
  trial.lease.succeeded(now);
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(picks(4), "baba");
  EXPECT_EQ(events, "a:untried>ready b:untried>ready a:ready>ejected a:ejected>ready ");
}

TEST_F(EjectionTest, ATrialThatFailsTakesItOutForLongerUpToTheMost) {
  ready_backends("a b");
  fails("a", 3);
  EXPECT_TRUE(is_about(out_for("a"), 10s));
  for (const Duration wanted : {20s, 40s, 40s}) {
    fails("a", 1);
    EXPECT_EQ(backend("a").reason.substr(0, 43), "failed again when tried: connection closed;");
    EXPECT_TRUE(is_about(out_for("a"), wanted));
  }
}

TEST_F(EjectionTest, ATrialWhoseClientLeavesIsFollowedByAnother) {
  ready_backends("a b");
  fails("a", 3);
  picks(3);
  until_trial("a");
  TestClient& trial = asks();
  EXPECT_EQ(trial.state(), "a");
  trial.lease = Lease();
  EXPECT_EQ(state("a"), "ejected");
  EXPECT_EQ(picks(2), "ab");
}

TEST_F(EjectionTest, ATrialThatIsDeclinedIsFollowedByAnother) {
  ready_backends("a b");
  fails("a", 3);
  picks(1);
  until_trial("a");
  fails("a", 1, ErrorKind::backend_declined);
  EXPECT_EQ(state("a"), "ejected");
  EXPECT_TRUE(backend("a").is_tried);
  EXPECT_EQ(asks().state(), "a");
}

TEST_F(EjectionTest, ALongAnswerThatKeepsComingBringsItBackBeforeItsEnd) {
  ready_backends("a b");
  fails("a", 3);
  picks(1);
  until_trial("a");
  TestClient& trial = asks();
  trial.lease.saw_byte(now);
  passes(500ms);
  EXPECT_EQ(state("a"), "ejected");
  passes(1s);
  trial.lease.saw_byte(now);
  passes(100ms);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, WhatWasUnderWayBeforeSpeaksNeitherForItNorAgainstIt) {
  ready_backends("a b");
  TestClient& good = asks_for("a");
  TestClient& bad = asks_for("a");
  fails("a", 3);
  good.lease.saw_byte(now);
  good.lease.succeeded(now);
  EXPECT_EQ(state("a"), "ejected");
  until_trial("a");
  bad.lease.failed({ErrorKind::stream_interrupted}, now);
  EXPECT_TRUE(backend("a").is_tried);
  asks_for("a");  // the trial, which sends nothing
  passes(5s);
  bad.lease.saw_byte(now);
  passes(100ms);
  EXPECT_EQ(state("a"), "ejected");
}

TEST_F(EjectionTest, LateFailuresOfRequestsFromBeforeDoNotEjectItAgain) {
  ready_backends("a b");
  std::vector<TestClient*> old;
  for (int i = 0; i < 10; ++i) old.push_back(&asks_for("a"));
  refuses("a");
  answers("a", 200);
  for (TestClient* one : old) one->lease.failed({ErrorKind::first_byte_timeout}, now);
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(backend("a").failures, 10U);
}

TEST_F(EjectionTest, AGoodLongTimeMakesTheNextOneShort) {
  ready_backends("a b");
  fails("a", 3);
  until_trial("a");
  fails("a", 1);
  until_trial("a");
  succeeds("a");
  passes(50s);
  fails("a", 3);
  EXPECT_TRUE(is_about(out_for("a"), 40s));
  succeeds("a");
  passes(320s);
  fails("a", 3);
  EXPECT_TRUE(is_about(out_for("a"), 10s));
}

TEST_F(EjectionTest, ARequestThatMayGoNowhereElseIsNotHeldBack) {
  ready_backends("a b c");
  fails("a", 3);
  TestClient& one = client();
  one.wish.excluded = {serial("b"), serial("c")};
  EXPECT_FALSE(balancer().has_usable(one.wish));  // but where there is no choice
  EXPECT_EQ(one.asks(now).state(), "a");
  EXPECT_EQ(state("a"), "ejected");
  one.lease.succeeded(now);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, WhoWaitsForAFullBackendIsNotGivenAnEjectedOne) {
  options.max_outstanding = 1;
  ready_backends("a b c");
  fails("a", 3);
  TestClient& on_b = asks_for("b");
  asks_for("c");
  TestClient& waits = asks_without("c");
  EXPECT_EQ(waits.state(), "waiting");
  on_b.lease = Lease();
  EXPECT_EQ(waits.state(), "b");
}

TEST_F(EjectionTest, WhoWaitedForABackendThatGoesIsGivenAnEjectedOne) {
  options.max_outstanding = 1;
  ready_backends("a b c");
  fails("a", 3);
  asks_for("b");
  asks_for("c");
  TestClient& waits = asks_without("c");
  EXPECT_EQ(waits.state(), "waiting");
  refuses("b");
  EXPECT_EQ(waits.state(), "a");
}

TEST_F(EjectionTest, ABackendThatGoesDownIsDownAndComesBackByItsProbes) {
  ready_backends("a b");
  fails("a", 3);
  refuses("a");
  EXPECT_EQ(state("a"), "down");
  answers("a", 200);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, GoodProbesDoNotBringItBack) {
  ready_backends("a b");
  fails("a", 3);
  for (int i = 0; i < 5; ++i) answers("a", 200);
  until_trial("a");
  answers("a", 200);
  EXPECT_EQ(state("a"), "ejected");
}

TEST_F(EjectionTest, DrainingEndsAnEjectionAndTheCount) {
  ready_backends("a b");
  fails("a", 3);
  drains("a");
  EXPECT_EQ(state("a"), "draining");
  EXPECT_EQ(picks(2), "bb");
  drains("a", false);
  EXPECT_EQ(state("a"), "ready");
  fails("a", 2);
  EXPECT_EQ(state("a"), "ready");
}

TEST_F(EjectionTest, TheCountOfReadyOnesIsWithoutTheEjected) {
  ready_backends("a b");
  fails("a", 3);
  EXPECT_EQ(balancer().ready(), 1U);
  EXPECT_EQ(balancer().describe_backends(),
            "1 of 2 backends of pool default is ready: 1 ready, 1 ejected");
}

}  // namespace
}  // namespace weir
