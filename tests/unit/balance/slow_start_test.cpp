// A backend that comes back is given a growing part of its share; nobody waits for it to grow.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class SlowStartTest : public BalancerTest {
 protected:
  SlowStartTest() { options.health.slow_start = 10s; }

  void comes_back(const std::string& id) {
    refuses(id);
    answers(id, 200);
  }
  // Of 100 more requests, those that it is given.
  uint32_t part_of(const std::string& id) {
    const uint32_t before = backend(id).outstanding;
    picks(100);
    return backend(id).outstanding - before;
  }
};

TEST_F(SlowStartTest, ComesBackWithATenthAndGrowsEvenly) {
  ready_backends("a b");
  comes_back("b");
  EXPECT_EQ(backend("b").share, 10U);
  passes(5s);
  EXPECT_EQ(backend("b").share, 55U);
  passes(4900ms);
  EXPECT_EQ(backend("b").share, 99U);
  passes(100ms);
  EXPECT_EQ(backend("b").share, 100U);
}

TEST_F(SlowStartTest, IsGivenAsManyAsItsShareOfWhatTheOthersHave) {
  ready_backends("a b c");
  comes_back("c");
  picks(210);
  EXPECT_EQ(backend("a").outstanding, 100U);
  EXPECT_EQ(backend("b").outstanding, 100U);
  EXPECT_EQ(backend("c").outstanding, 10U);
}

TEST_F(SlowStartTest, TheFirstReadyIsNoComingBack) {
  backends("a b");
  refuses("b");
  answers("a", 200);
  answers("b", 200);
  EXPECT_EQ(backend("a").share, 100U);
  EXPECT_EQ(backend("b").share, 100U);
}

TEST_F(SlowStartTest, WhoWasEjectedStartsSlowly) {
  options.health.eject_failures = 2;
  ready_backends("a b");
  fails("b", 2);
  passes(12s);
  succeeds("b");
  EXPECT_EQ(backend("b").share, 10U);
}

TEST_F(SlowStartTest, WhoWasOnlySuspectOrDrainedDoesNot) {
  ready_backends("a b");
  times_out("b");
  answers("b", 200);
  EXPECT_EQ(backend("b").share, 100U);
  drains("b");
  drains("b", false);
  EXPECT_EQ(backend("b").share, 100U);
}

TEST_F(SlowStartTest, WhoWentDownWhileItDrainedStartsSlowlyAfterwards) {
  ready_backends("a b");
  drains("b");
  comes_back("b");
  passes(20s);
  drains("b", false);
  EXPECT_EQ(backend("b").share, 10U);
}

TEST_F(SlowStartTest, NobodyWaitsForItToGrow) {
  options.max_outstanding = 5;
  ready_backends("a b");
  comes_back("b");
  EXPECT_EQ(picks(10).find('w'), std::string::npos);
  EXPECT_EQ(backend("b").outstanding, 5U);
}

TEST_F(SlowStartTest, AlonePoolUsesAllOfIt) {
  ready_backends("a");
  comes_back("a");
  EXPECT_EQ(picks(3), "aaa");
}

TEST_F(SlowStartTest, AWholePoolThatComesBackSharesEvenly) {
  ready_backends("a b c");
  for (const char* id : {"a", "b", "c"}) refuses(id);
  for (const char* id : {"a", "b", "c"}) answers(id, 200);
  EXPECT_EQ(picks(6), "abcabc");
}

TEST_F(SlowStartTest, GoesWithTheWeights) {
  backends("a b");
  spec("a").weight = 4;
  spec("b").weight = 2;
  publish();
  answers("a", 200);
  answers("b", 200);
  comes_back("b");
  picks(210);
  EXPECT_EQ(backend("a").outstanding, 200U);
  EXPECT_EQ(backend("b").outstanding, 10U);
}

TEST_F(SlowStartTest, StartsAnewWhenItGoesAgain) {
  ready_backends("a b");
  comes_back("b");
  passes(8s);
  comes_back("b");
  EXPECT_EQ(backend("b").share, 10U);
}

TEST_F(SlowStartTest, WithoutAWindowItIsThereAtOnce) {
  options.health.slow_start = Duration::zero();
  ready_backends("a b");
  comes_back("b");
  EXPECT_EQ(backend("b").share, 100U);
}

class SlowStartPolicyTest : public SlowStartTest, public testing::WithParamInterface<PolicyName> {};

TEST_P(SlowStartPolicyTest, HoldsForEveryPolicy) {
  options.policy = GetParam();
  ready_backends("a b");
  comes_back("b");
  picks(1000);
  EXPECT_GE(backend("b").outstanding, 50U);
  EXPECT_LE(backend("b").outstanding, 140U);
  passes(10s);
  EXPECT_GE(part_of("b"), 30U);
}

INSTANTIATE_TEST_SUITE_P(Every, SlowStartPolicyTest,
                         testing::Values(PolicyName::least_outstanding, PolicyName::round_robin,
                                         PolicyName::random, PolicyName::two_choices));

}  // namespace
}  // namespace weir
