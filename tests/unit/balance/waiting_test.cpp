// The waiting room: fairness, patience, what there is to wait for.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class WaitingTest : public BalancerTest {
 protected:
  WaitingTest() { options.max_outstanding = 1; }
};

TEST_F(WaitingTest, AFullPoolMakesWaitAndAFreedLeaseGoesToTheFront) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  TestClient& second = asks();
  holder.lease = Lease();
  EXPECT_EQ(first.state(), "a");
  EXPECT_EQ(second.state(), "waiting");
  first.lease = Lease();
  EXPECT_EQ(second.state(), "a");
}

TEST_F(WaitingTest, AGrantedPlaceHoldsItsLeaseBeforeItIsFetched) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  holder.lease = Lease();
  EXPECT_TRUE(first.is_woken);
  EXPECT_EQ(backend("a").outstanding, 1U);
  EXPECT_EQ(asks().state(), "waiting");
}

TEST_F(WaitingTest, WhoLeavesBehindAGrantGivesItToTheNext) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  TestClient& second = asks();
  holder.lease = Lease();
  first.leaves();
  EXPECT_EQ(second.state(), "a");
  EXPECT_EQ(balancer().outstanding(), 1U);
}

TEST_F(WaitingTest, WhoLeavesTheLineIsNotServed) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  TestClient& second = asks();
  first.leaves();
  EXPECT_EQ(balancer().waiting(), 1U);
  holder.lease = Lease();
  EXPECT_EQ(second.state(), "a");
  EXPECT_FALSE(first.is_woken);
}

TEST_F(WaitingTest, WhoExcludesWhatIsFreeDoesNotHoldUpTheOthers) {
  ready_backends("a b");
  TestClient& on_a = asks();
  asks();
  TestClient& picky = asks_without("a");
  TestClient& other = asks();
  on_a.lease = Lease();
  EXPECT_EQ(picky.state(), "waiting");
  EXPECT_EQ(other.state(), "a");
}

TEST_F(WaitingTest, ANewcomerTakesWhatNobodyInLineWould) {
  ready_backends("a b");
  TestClient& on_a = asks();
  TestClient& on_b = asks();
  TestClient& picky = asks_without("a");
  on_a.lease = Lease();
  EXPECT_EQ(asks().state(), "a");
  on_b.lease = Lease();
  EXPECT_EQ(picky.state(), "b");
}

TEST_F(WaitingTest, ABackendThatBecomesReadyServesTheLineInOrder) {
  options.tries_unprobed = false;
  ready_backends("a");
  asks();
  TestClient& first = asks();
  TestClient& second = asks();
  backends("a b");
  EXPECT_EQ(first.state(), "waiting");
  answers("b", 200);
  EXPECT_EQ(first.state(), "b");
  EXPECT_EQ(second.state(), "waiting");
}

TEST_F(WaitingTest, AnAddedBackendServesTheLine) {
  ready_backends("a");
  asks();
  TestClient& first = asks();
  backends("a b c");
  EXPECT_EQ(first.state(), "b");
}

TEST_F(WaitingTest, ARaisedCapServesTheLine) {
  ready_backends("a");
  asks();
  TestClient& first = asks();
  TestClient& second = asks();
  TestClient& third = asks();
  spec("a").max_outstanding = 3;
  publish();
  EXPECT_EQ(first.state(), "a");
  EXPECT_EQ(second.state(), "a");
  EXPECT_EQ(third.state(), "waiting");
}

TEST_F(WaitingTest, ALoweredCapTakesNoLeaseAway) {
  options.max_outstanding = 0;
  ready_backends("a");
  picks(3);
  spec("a").max_outstanding = 2;
  publish();
  EXPECT_EQ(backend("a").outstanding, 3U);
  EXPECT_EQ(asks().state(), "waiting");
}

TEST_F(WaitingTest, TheEndOfDrainingServesTheLine) {
  ready_backends("a b");
  drains("b");
  asks();
  TestClient& first = asks();
  EXPECT_EQ(first.state(), "waiting");
  drains("b", false);
  EXPECT_EQ(first.state(), "b");
}

TEST_F(WaitingTest, PatienceEndsWithQueueTimeout) {
  options.queue_timeout = 30s;
  ready_backends("a");
  asks();
  TestClient& first = asks();
  balancer().expire(now + 30s - 1ns);
  EXPECT_EQ(first.state(), "waiting");
  balancer().expire(now + 30s);
  EXPECT_EQ(first.state(), "queue_timeout");
  EXPECT_EQ(balancer().waiting(), 0U);
}

TEST_F(WaitingTest, WithoutAQueueTimeoutNobodyIsSentAway) {
  ready_backends("a");
  asks();
  TestClient& first = asks();
  balancer().expire(now + std::chrono::hours(24 * 365));
  EXPECT_EQ(first.state(), "waiting");
}

TEST_F(WaitingTest, AFullWaitingRoomRefusesAtOnce) {
  options.queue_limit = 1;
  ready_backends("a");
  asks();
  EXPECT_EQ(asks().state(), "waiting");
  EXPECT_EQ(asks().state(), "queue_full");
}

TEST_F(WaitingTest, APoolWithoutAUsableBackendRefusesAtOnce) {
  EXPECT_EQ(asks().state(), "no_backend_ready");
  ready_backends("a");
  refuses("a");
  EXPECT_EQ(asks().state(), "no_backend_ready");
}

TEST_F(WaitingTest, SaysLoadingWhenOneIsLoading) {
  ready_backends("a");
  refuses("a");
  backends("a b");
  refuses("b");
  EXPECT_EQ(asks().state(), "backends_loading");
}

TEST_F(WaitingTest, TheLineIsSentAwayWhenTheLastUsableBackendGoes) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  holder.lease.failed({ErrorKind::connect_refused}, now);
  EXPECT_EQ(first.state(), "no_backend_ready");
  EXPECT_EQ(balancer().waiting(), 0U);
}

TEST_F(WaitingTest, TheLineIsSentAwayWhenItsBackendIsRemovedOrDrained) {
  ready_backends("a");
  asks();
  TestClient& first = asks();
  drains("a");
  EXPECT_EQ(first.state(), "no_backend_ready");
  drains("a", false);
  TestClient& second = asks();
  EXPECT_EQ(second.state(), "waiting");
  backends("");
  EXPECT_EQ(second.state(), "no_backend_ready");
}

TEST_F(WaitingTest, WhoExcludesTheLastUsableBackendIsSentAwayAndTheOthersStay) {
  ready_backends("a b");
  picks(2);
  TestClient& picky = asks_without("a");
  TestClient& other = asks();
  refuses("b");
  EXPECT_EQ(picky.state(), "no_backend_ready");
  EXPECT_EQ(other.state(), "waiting");
  EXPECT_EQ(asks_without("a").state(), "no_backend_ready");
}

class LaunchWaitingTest : public WaitingTest {
 protected:
  LaunchWaitingTest() { options.waits_for_backends = true; }
};

TEST_F(LaunchWaitingTest, RequestsWaitWhileBackendsMayStillCome) {
  backends("", 1);
  TestClient& first = asks();
  EXPECT_EQ(first.state(), "waiting");
  ready_backends("a");
  EXPECT_EQ(first.state(), "a");
}

TEST_F(LaunchWaitingTest, RequestsWaitWhileABackendLoadsOrIsDown) {
  backends("a");
  refuses("a");
  TestClient& first = asks();
  EXPECT_EQ(first.state(), "waiting");
  answers("a", 200);
  EXPECT_EQ(first.state(), "a");
  TestClient& second = asks();
  refuses("a");
  EXPECT_EQ(second.state(), "waiting");
}

TEST_F(LaunchWaitingTest, RequestsAreSentAwayWhenNothingMayComeAnyMore) {
  backends("", 1);
  TestClient& first = asks();
  backends("", 0);
  EXPECT_EQ(first.state(), "no_backend_ready");
}

TEST_F(LaunchWaitingTest, WhoExcludesAllThereIsWaitsForAnotherThatLoads) {
  ready_backends("a");
  backends("a b");
  refuses("b");
  TestClient& picky = asks_without("a");
  EXPECT_EQ(picky.state(), "waiting");
  EXPECT_EQ(asks().state(), "a");
  answers("b", 200);
  EXPECT_EQ(picky.state(), "b");
}

TEST_F(LaunchWaitingTest, WhoExcludesAllThatCanEverComeIsSentAway) {
  ready_backends("a");
  EXPECT_EQ(asks_without("a").state(), "no_backend_ready");
}

// One worker with several places; what it does in on_answer.
class Worker final : public PlaceWaker {
 public:
  void wake() noexcept override { ++wakes; }
  int wakes = 0;
};

struct Visitor {
  void on_answer() {
    ++answers;
    lease = place.take_answer().value();
    if (victim != nullptr) victim->place.leave();
  }
  Place place{bind<&Visitor::on_answer>(this)};
  Lease lease;
  Visitor* victim = nullptr;
  int answers = 0;
};

TEST_F(WaitingTest, AWorkerIsWokenOnceAndAnAnswerMayEndTheNextPlaceOfTheBatch) {
  options.waits_for_backends = true;
  Worker worker;
  Visitor one, two;
  one.victim = &two;
  backends("", 1);
  ASSERT_FALSE(balancer().ask({}, one.place, worker, now)->has_value());
  ASSERT_FALSE(balancer().ask({}, two.place, worker, now)->has_value());
  ready_backends("a b");
  EXPECT_EQ(worker.wakes, 1);
  EXPECT_EQ(balancer().outstanding(), 2U);
  balancer().collect(worker);
  EXPECT_EQ(one.answers + two.answers, 1);
  EXPECT_EQ(balancer().outstanding(), 1U);
}

TEST_F(WaitingTest, APlaceIsAnsweredOnceAndMayAskAgain) {
  ready_backends("a");
  TestClient& holder = asks();
  TestClient& first = asks();
  holder.lease = Lease();
  EXPECT_EQ(first.state(), "a");
  first.collects();
  first.lease = Lease();
  EXPECT_EQ(first.asks(now).state(), "a");
}

TEST_F(WaitingTest, TheSnapshotShowsTheLine) {
  ready_backends("a");
  asks();
  const TimePoint entered = now;
  asks();
  now += 5s;
  asks();
  const PoolSnapshot pool = balancer().snapshot();
  EXPECT_EQ(pool.waiting, 2U);
  EXPECT_EQ(pool.oldest_wait, entered);
}

}  // namespace
}  // namespace weir
