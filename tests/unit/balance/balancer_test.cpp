// Choosing, leases, the backend set.
#include <set>

#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST_F(BalancerTest, GivesEachRequestToABackendWithTheFewestOutstanding) {
  ready_backends("a b c");
  EXPECT_EQ(picks(6), "abcabc");
}

TEST_F(BalancerTest, RotatesTiesWhenOneRequestFollowsTheOther) {
  ready_backends("a b c");
  std::string order;
  for (int i = 0; i < 6; ++i) {
    TestClient& one = asks();
    order += one.state();
    one.lease = Lease();
  }
  EXPECT_EQ(order, "abcabc");
}

TEST_F(BalancerTest, CountsALeaseFromTheMomentOfChoiceUntilItIsGivenBack) {
  ready_backends("a");
  TestClient& one = asks();
  EXPECT_EQ(backend("a").outstanding, 1U);
  EXPECT_EQ(balancer().outstanding(), 1U);
  one.lease = Lease();
  EXPECT_EQ(backend("a").outstanding, 0U);
  EXPECT_EQ(balancer().outstanding(), 0U);
}

TEST_F(BalancerTest, AMovedLeaseIsGivenBackOnce) {
  ready_backends("a");
  Lease first = std::move(asks().lease);
  Lease second = std::move(first);
  first = std::move(second);
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(balancer().outstanding(), 1U);
}

TEST_F(BalancerTest, AssigningALeaseGivesBackTheOneThatWasHeld) {
  ready_backends("a b");
  TestClient& one = asks();
  TestClient& two = asks();
  one.lease = std::move(two.lease);
  EXPECT_EQ(backend("a").outstanding, 0U);
  EXPECT_EQ(backend("b").outstanding, 1U);
}

TEST_F(BalancerTest, HeavierBackendsAreGivenMore) {
  backends("a b");
  spec("a").weight = 3;
  publish();
  picks(8);
  EXPECT_EQ(backend("a").outstanding, 6U);
  EXPECT_EQ(backend("b").outstanding, 2U);
}

TEST_F(BalancerTest, PassesOverBackendsThatTheRequestExcludes) {
  ready_backends("a b");
  EXPECT_EQ(asks_without("a").state(), "b");
  EXPECT_EQ(asks_without("a").state(), "b");
}

TEST_F(BalancerTest, NeverExceedsTheCapOfABackend) {
  options.max_outstanding = 2;
  ready_backends("a b");
  EXPECT_EQ(picks(4), "abab");
  EXPECT_EQ(asks().state(), "waiting");
}

TEST_F(BalancerTest, ABackendsOwnCapWinsOverThePools) {
  options.max_outstanding = 5;
  backends("a b");
  spec("a").max_outstanding = 1;
  publish();
  EXPECT_EQ(picks(4), "abbb");
}

TEST_F(BalancerTest, TheLeaseOfARemovedBackendRunsOn) {
  ready_backends("a b");
  TestClient& one = asks();
  backends("b");
  EXPECT_EQ(one.lease.backend().id, "a");
  EXPECT_EQ(balancer().outstanding(), 1U);
  EXPECT_EQ(picks(2), "bb");
  one.lease.succeeded(now);
  one.lease = Lease();
  EXPECT_EQ(balancer().outstanding(), 2U);
}

TEST_F(BalancerTest, ABackendThatStaysKeepsItsStateWhenTheSetChanges) {
  ready_backends("a b");
  asks();
  const BackendSerial before = serial("a");
  backends("a c");
  EXPECT_EQ(serial("a"), before);
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(backend("a").outstanding, 1U);
}

TEST_F(BalancerTest, ANewAddressMakesANewBackend) {
  ready_backends("a");
  TestClient& one = asks();
  const BackendSerial before = serial("a");
  spec("a").address.port = 1;
  publish();
  EXPECT_NE(serial("a"), before);
  EXPECT_EQ(state("a"), "untried");
  EXPECT_EQ(backend("a").outstanding, 0U);
  EXPECT_EQ(one.lease.backend().address.port, 8000 + 'a');
}

TEST_F(BalancerTest, ALeaseKeepsTheBackendAsItWasLeased) {
  backends("a");
  spec("a").api_key = "old";
  publish();
  TestClient& one = asks();
  spec("a").api_key = "new";
  publish();
  EXPECT_EQ(one.lease.backend().api_key, "old");
  EXPECT_EQ(asks().lease.backend().api_key, "new");
}

TEST_F(BalancerTest, SlotsAreReusedAndSerialsAreNot) {
  backends("a b");
  const uint32_t slot = backend("a").slot;
  const BackendSerial old = serial("a");
  backends("b c");
  EXPECT_EQ(backend("c").slot, slot);
  EXPECT_GT(serial("c"), old);
  EXPECT_NE(backend("b").slot, slot);
}

TEST_F(BalancerTest, AProbeOfARemovedBackendIsIgnored) {
  backends("a");
  const BackendSerial gone = serial("a");
  backends("b");
  balancer().on_probe(gone, {ProbeResult::Kind::refused, 0, 0}, now);
  EXPECT_EQ(state("b"), "untried");
}

TEST_F(BalancerTest, DrainingABackendThatDoesNotExistSaysSo) {
  backends("a");
  EXPECT_FALSE(balancer().set_draining("x", true, now));
}

TEST_F(BalancerTest, SaysInWordsHowItsBackendsAre) {
  EXPECT_EQ(balancer().describe_backends(),
            "no backend of pool default is ready: it has no backends");
  backends("a b c", 2);
  refuses("a");
  refuses("b");
  drains("c");
  EXPECT_EQ(balancer().describe_backends(),
            "no backend of pool default is ready: 2 starting, 2 loading, 1 draining");
  answers("a", 200);
  EXPECT_EQ(balancer().describe_backends(),
            "1 of 3 backends of pool default is ready: 2 starting, 1 loading, 1 ready, 1 draining");
}

TEST_F(BalancerTest, CountsWhatSucceededAndWhatFailed) {
  ready_backends("a");
  asks().lease.succeeded(now);
  asks().lease.failed({ErrorKind::backend_closed}, now);
  asks().lease.failed({ErrorKind::client_gone}, now);           // not the backend's fault
  asks().lease.failed({ErrorKind::backend_closed, true}, now);  // a stale connection
  EXPECT_EQ(backend("a").served, 1U);
  EXPECT_EQ(backend("a").failures, 1U);
}

class PolicyTest : public BalancerTest, public testing::WithParamInterface<PolicyName> {};

TEST_P(PolicyTest, UsesAllFreeBackendsAndNoneThatIsFullOrExcluded) {
  options.policy = GetParam();
  options.max_outstanding = 3;
  ready_backends("a b c");
  std::multiset<char> order;
  for (int i = 0; i < 6; ++i) order.insert(asks_without("b").state().front());
  EXPECT_EQ(order, (std::multiset<char>{'a', 'a', 'a', 'c', 'c', 'c'}));
  EXPECT_EQ(asks_without("b").state(), "waiting");
  EXPECT_EQ(picks(3), "bbb");
  EXPECT_EQ(asks().state(), "waiting");
}

TEST_P(PolicyTest, FollowsTheWeightsRoughly) {
  options.policy = GetParam();
  backends("a b");
  spec("a").weight = 3;
  publish();
  picks(400);
  EXPECT_NEAR(backend("a").outstanding, 300, 40);
}

INSTANTIATE_TEST_SUITE_P(Every, PolicyTest,
                         testing::Values(PolicyName::least_outstanding, PolicyName::round_robin,
                                         PolicyName::random, PolicyName::two_choices));

TEST_P(PolicyTest, FollowsTheWeightsAsExactlyAsItCan) {
  options.policy = GetParam();
  backends("a b c");
  spec("a").weight = 3;
  spec("b").weight = 2;
  publish();
  picks(600);
  double slack = 1;
  if (options.policy == PolicyName::two_choices) slack = 20;
  if (options.policy == PolicyName::random) slack = 60;  // five times the deviation of 600 picks
  EXPECT_NEAR(backend("a").outstanding, 300, slack);
  EXPECT_NEAR(backend("b").outstanding, 200, slack);
  EXPECT_NEAR(backend("c").outstanding, 100, slack);
}

TEST_F(BalancerTest, TiesRotateAlsoAmongWeightsAndWhenOthersComeAndGo) {
  backends("a b c");
  spec("a").weight = 2;
  publish();
  EXPECT_EQ(picks(8), "abcabcaa");
  ready_backends("a b c d");
  EXPECT_EQ(picks(4), "ddbc");
}

TEST_F(BalancerTest, RoundRobinTakesOneAfterTheOtherWhateverTheirLoad) {
  options.policy = PolicyName::round_robin;
  ready_backends("a b c");
  asks_without("b");
  asks_without("b");
  EXPECT_EQ(picks(4), "bacb");
}

TEST_F(BalancerTest, TwoChoicesStaysNearTheFewest) {
  options.policy = PolicyName::two_choices;
  ready_backends("a b c d e f g h");
  picks(800);
  for (const BackendSnapshot& one : balancer().snapshot().backends) {
    EXPECT_NEAR(one.outstanding, 100, 10) << one.id;
  }
}

}  // namespace
}  // namespace weir
