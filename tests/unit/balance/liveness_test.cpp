// What bytes say: a backend that sends is alive whatever its probe says, and one that holds
// requests and sends nothing while others do is stuck whatever its probe says.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class LivenessTest : public BalancerTest {};

TEST_F(LivenessTest, BytesSinceTheProbeBeganOutweighAMissedOne) {
  ready_backends("a");
  TestClient& one = asks();
  for (int i = 0; i < 10; ++i) {
    now += 2s;
    one.lease.saw_byte(now - kProbe / 2);
    misses("a");
  }
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(events, "a:untried>ready ");
}

TEST_F(LivenessTest, AnExchangeAnswersFromItsFirstByteToItsEnd) {
  ready_backends("a");
  TestClient& one = asks();
  TestClient& other = asks();
  EXPECT_EQ(backend("a").answering, 0U);
  one.lease.saw_byte(now);
  one.lease.saw_byte(now);
  EXPECT_EQ(backend("a").answering, 1U);
  Lease moved = std::move(one.lease);
  other.lease = std::move(moved);  // which gives its own back, unanswered
  EXPECT_EQ(backend("a").outstanding, 1U);
  EXPECT_EQ(backend("a").answering, 1U);
  other.lease = Lease();
  EXPECT_EQ(backend("a").answering, 0U);
}

TEST_F(LivenessTest, BytesFromBeforeTheProbeDoNot) {
  ready_backends("a");
  TestClient& one = asks();
  one.lease.saw_byte(now);
  now += kProbe + 1ms;
  misses("a");
  EXPECT_EQ(state("a"), "suspect");
}

TEST_F(LivenessTest, BytesDoNotOutweighARefusedPort) {
  ready_backends("a b");
  TestClient& one = asks();
  refuses("a");
  for (int i = 0; i < 10; ++i) {
    now += 1s;
    one.lease.saw_byte(now);
    misses("a");
  }
  EXPECT_EQ(state("a"), "down");
}

TEST_F(LivenessTest, BytesDoNotOutweighAnAnswerThatSaysIll) {
  ready_backends("a b");
  TestClient& one = asks();
  for (int i = 0; i < 3; ++i) {
    one.lease.saw_byte(now);
    balancer().on_probe(serial("a"), {ProbeResult::Kind::answered, 503, 0, now - kProbe}, now);
  }
  EXPECT_EQ(state("a"), "down");
}

TEST_F(LivenessTest, ABackendWhoseProbesAreMissedComesBackWhenItSends) {
  ready_backends("a b");
  TestClient& one = asks();
  for (int i = 0; i < 3; ++i) misses("a");
  EXPECT_EQ(state("a"), "down");
  now += 2s;
  one.lease.saw_byte(now);
  misses("a");
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(backend("a").reason, "sends answers, though its probe is missed");
}

class StuckTest : public BalancerTest {
 protected:
  StuckTest() { options.health.stuck_after = 60s; }

  // Seconds in which all of `senders` send twice a second.
  void runs(Duration span, std::vector<TestClient*> senders) {
    for (const TimePoint end = now + span; now < end;) {
      for (TestClient* one : senders) one->lease.saw_byte(now);
      passes(500ms);
    }
  }
};

TEST_F(StuckTest, HoldsRequestsAndSendsNothingWhileOthersDo) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  asks_for("b");
  runs(59s, {&on_a});
  EXPECT_EQ(state("b"), "ready");
  runs(1s, {&on_a});
  EXPECT_EQ(state("b"), "suspect");
  EXPECT_EQ(backend("b").reason, "holds 2 requests, no byte for 60 s while others send");
  EXPECT_TRUE(backend("b").is_held_back);
  EXPECT_EQ(picks(4), "aaaa");
  EXPECT_EQ(events, "a:untried>ready b:untried>ready b:ready>suspect ");
}

TEST_F(StuckTest, AGoodProbeDoesNotLiftIt) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  runs(61s, {&on_a});
  answers("b", 200);
  EXPECT_EQ(state("b"), "suspect");
}

TEST_F(StuckTest, AByteLiftsIt) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  TestClient& on_b = asks_for("b");
  runs(61s, {&on_a});
  on_b.lease.saw_byte(now);
  passes(100ms);
  EXPECT_EQ(state("b"), "ready");
  EXPECT_FALSE(backend("b").is_held_back);
}

TEST_F(StuckTest, ASuccessLiftsItAtOnce) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  TestClient& on_b = asks_for("b");
  runs(61s, {&on_a});
  on_b.lease.succeeded(now);
  EXPECT_EQ(state("b"), "ready");
}

TEST_F(StuckTest, WhoHoldsNothingIsNotStuck) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  runs(100s, {&on_a});
  EXPECT_EQ(state("b"), "ready");
  asks_for("b");
  runs(59s, {&on_a});
  EXPECT_EQ(state("b"), "ready");
}

TEST_F(StuckTest, SilenceEverywhereIsNobodysFault) {
  ready_backends("a b c");
  picks(6);
  passes(200s);
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(state(id), "ready") << id;
}

TEST_F(StuckTest, OneThatSendsAmongManyThatDoNotSaysNothingAboutThem) {
  ready_backends("a b c d");
  TestClient& on_a = asks_for("a");
  for (const char* id : {"b", "c", "d"}) asks_for(id);
  runs(100s, {&on_a});
  for (const char* id : {"b", "c", "d"}) EXPECT_EQ(state(id), "ready") << id;
}

TEST_F(StuckTest, AtMostHalfOfThePoolIsHeldBack) {
  ready_backends("a b c");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  asks_for("c");
  runs(100s, {&on_a});
  EXPECT_EQ(state("b"), "suspect");
  EXPECT_EQ(state("c"), "ready");
}

TEST_F(StuckTest, TakesWorkWhenThereIsNoOther) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  runs(61s, {&on_a});
  refuses("a");
  EXPECT_EQ(state("b"), "suspect");
  EXPECT_EQ(picks(2), "bb");
  answers("a", 200);
  EXPECT_EQ(picks(2), "aa");
}

TEST_F(StuckTest, TakesARequestThatMayGoNowhereElse) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  runs(61s, {&on_a});
  EXPECT_EQ(asks_without("a").state(), "b");
}

TEST_F(StuckTest, IsTriedByOneRequestWhenAllItHeldHaveLeft) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  TestClient& on_b = asks_for("b");
  runs(61s, {&on_a});
  on_b.lease = Lease();
  EXPECT_EQ(picks(3), "baa");
}

TEST_F(StuckTest, StartsSlowlyAfterwards) {
  options.health.slow_start = 10s;
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  TestClient& on_b = asks_for("b");
  runs(61s, {&on_a});
  on_b.lease.succeeded(now);
  EXPECT_EQ(backend("b").share, 10U);
}

TEST_F(StuckTest, DrainingOneThatIsStuckForgetsTheSuspicion) {
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  runs(61s, {&on_a});
  drains("b");
  EXPECT_EQ(state("b"), "draining");
  EXPECT_EQ(backend("b").outstanding, 1U);
  drains("b", false);
  EXPECT_EQ(state("b"), "ready");
}

TEST_F(StuckTest, NobodyIsStuckIfSoWished) {
  options.health.stuck_after = Duration::zero();
  ready_backends("a b");
  TestClient& on_a = asks_for("a");
  asks_for("b");
  runs(300s, {&on_a});
  EXPECT_EQ(state("b"), "ready");
}

}  // namespace
}  // namespace weir
