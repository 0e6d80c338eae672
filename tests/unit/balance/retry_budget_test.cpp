// How often requests may be sent a second time, and what those that are refused are told.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class RetryBudgetTest : public BalancerTest {
 protected:
  RetryBudgetTest() { options.retry_budget = 0.2; }

  int takes() {
    int taken = 0;
    while (taken < 100'000 && balancer().take_retry(now)) ++taken;
    return taken;
  }
  void sends(int count) {
    for (int i = 0; i < count; ++i) asks().lease = Lease();
  }
};

TEST_F(RetryBudgetTest, HasAReserveFromTheBeginning) {
  ready_backends("a");
  EXPECT_EQ(takes(), 64);
}

TEST_F(RetryBudgetTest, EarnsAShareOfTheFirstSends) {
  ready_backends("a");
  takes();
  sends(100);
  EXPECT_EQ(takes(), 20);
}

TEST_F(RetryBudgetTest, ASecondSendEarnsNothing) {
  ready_backends("a b");
  takes();
  for (int i = 0; i < 100; ++i) asks_without("a").lease = Lease();
  EXPECT_EQ(takes(), 0);
}

TEST_F(RetryBudgetTest, SavesNoMoreThanTheReserve) {
  ready_backends("a");
  sends(10'000);
  EXPECT_EQ(takes(), 64);
}

TEST_F(RetryBudgetTest, AStormOfRetriesIsHeldToTheBudget) {
  ready_backends("a b");
  int taken = 0;
  for (int second = 0; second < 600; ++second, passes(1s)) {
    for (int i = 0; i < 100; ++i) {  // each of them fails
      sends(1);
      if (balancer().take_retry(now)) ++taken;
    }
  }
  EXPECT_LE(taken, 600 * 100 * 0.2 + 64 + 10 * 64);
  EXPECT_GE(taken, 600 * 100 * 0.2 + 10 * 64);
}

TEST_F(RetryBudgetTest, TheReserveIsFullAgainAfterAMinute) {
  ready_backends("a");
  takes();
  passes(30s);
  EXPECT_EQ(takes(), 32);
  passes(61s);
  EXPECT_EQ(takes(), 64);
}

TEST_F(RetryBudgetTest, CoversTheLossOfAWholeBackend) {
  ready_backends("a b");
  picks(600);
  EXPECT_EQ(backend("a").outstanding, 300U);
  EXPECT_GE(takes(), 300);
}

TEST_F(RetryBudgetTest, CoversItAlsoWhenAllWereTakenLongAgo) {
  ready_backends("a b");
  picks(600);
  passes(10min);
  EXPECT_GE(takes(), 300);
}

TEST_F(RetryBudgetTest, ForgetsALoadThatIsLongGone) {
  ready_backends("a");
  sends(1);
  std::vector<TestClient*> many;
  for (int i = 0; i < 300; ++i) many.push_back(&asks());
  for (TestClient* one : many) one->lease = Lease();
  passes(3min);
  EXPECT_EQ(takes(), 64);
}

class RetryAfterTest : public BalancerTest {
 protected:
  RetryAfterTest() { options.max_outstanding = 1; }

  // So many leases a second come back for a while.
  void releases(int a_second, Duration span) {
    for (const TimePoint end = now + span; now < end; passes(1s)) {
      for (int i = 0; i < a_second; ++i) asks().lease = Lease();
    }
  }
  void waits(int count) {
    for (int i = 0; i < count; ++i) asks();
  }
  Duration after(ErrorKind kind) { return balancer().retry_after(kind, now); }
};

TEST_F(RetryAfterTest, SaysNothingBeforeAnythingIsKnown) {
  ready_backends("a");
  EXPECT_EQ(after(ErrorKind::queue_full), Duration::zero());
  EXPECT_EQ(after(ErrorKind::backends_loading), Duration::zero());
  EXPECT_EQ(after(ErrorKind::bad_request), Duration::zero());
}

TEST_F(RetryAfterTest, IsTheLineOverTheRateAtWhichLeasesComeBack) {
  ready_backends("a");
  releases(2, 120s);
  waits(1 + 39);
  EXPECT_NEAR(std::chrono::duration<double>(after(ErrorKind::queue_full)).count(), 20, 1);
  EXPECT_EQ(after(ErrorKind::queue_full), after(ErrorKind::queue_timeout));
}

TEST_F(RetryAfterTest, IsASecondAtLeastAndAMinuteAtMost) {
  ready_backends("a");
  releases(20, 60s);
  EXPECT_EQ(after(ErrorKind::queue_full), 1s);
  waits(5000);
  EXPECT_EQ(after(ErrorKind::queue_full), 60s);
}

TEST_F(RetryAfterTest, IsAMinuteWhenNothingComesBackAnyMore) {
  ready_backends("a");
  releases(1, 10s);
  waits(2);
  passes(10min);
  EXPECT_EQ(after(ErrorKind::queue_timeout), 60s);
}

TEST_F(RetryAfterTest, LoadingTakesAsLongAsItTookBefore) {
  backends("a");
  refuses("a");
  passes(50s);
  answers("a", 200);
  backends("b");
  refuses("b");
  EXPECT_EQ(after(ErrorKind::backends_loading), 50s);
  passes(20s);
  EXPECT_EQ(after(ErrorKind::backends_loading), 30s);
  EXPECT_EQ(balancer().describe_backends(),
            "no backend of pool default is ready: 1 loading (about 30 s left)");
  passes(100s);
  EXPECT_EQ(after(ErrorKind::backends_loading), 1s);
}

TEST_F(RetryAfterTest, LoadingIsAMinuteAtMost) {
  backends("a");
  refuses("a");
  passes(300s);
  answers("a", 200);
  backends("b");
  refuses("b");
  EXPECT_EQ(after(ErrorKind::backends_loading), 60s);
}

TEST_F(RetryAfterTest, NoneReadyIsFiveSecondsAndTenWhenItLasts) {
  ready_backends("a");
  refuses("a");
  EXPECT_EQ(after(ErrorKind::no_backend_ready), 5s);
  passes(60s);
  EXPECT_EQ(after(ErrorKind::no_backend_ready), 10s);
}

}  // namespace
}  // namespace weir
