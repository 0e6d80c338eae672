// A backend that declines requests is busy or being stopped, not ill: others are asked first, and
// it is asked again with one request now and then.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class DecliningTest : public BalancerTest {
 protected:
  // Whoever has it gives it back; it was declined.
  void declined(TestClient& one) {
    one.lease.failed({ErrorKind::backend_declined}, now);
    one.lease = Lease();
  }
  // The next request at it is.
  void declines(const std::string& id) { fails(id, 1, ErrorKind::backend_declined); }
  // How long until a request is given to it that could go elsewhere.
  Duration rest_of(const std::string& id) {
    const TimePoint begin = now;
    while (!backend(id).is_asked && now < begin + 1min) passes(50ms);
    return now - begin;
  }
};

TEST_F(DecliningTest, OthersAreAskedFirst) {
  ready_backends("a b c");
  declines("a");
  EXPECT_EQ(picks(6), "bcbcbc");
  EXPECT_EQ(backend("a").outstanding, 0U);
}

TEST_F(DecliningTest, StaysReadyWithoutAWord) {
  ready_backends("a b");
  events.clear();
  for (int i = 0; i < 20; ++i) declines("a");
  EXPECT_EQ(state("a"), "ready");
  EXPECT_EQ(events, "");
  EXPECT_EQ(balancer().ready(), 2U);
  EXPECT_TRUE(backend("a").is_reluctant);
}

TEST_F(DecliningTest, IsAskedWithOneRequestAfterARest) {
  ready_backends("a b");
  picks(4);
  declines("a");
  EXPECT_EQ(rest_of("a"), 250ms);
  const std::string after = picks(6);
  EXPECT_EQ(std::ranges::count(after, 'a'), 1) << after;
}

TEST_F(DecliningTest, RestsLongerEachTimeItDeclinesAgain) {
  ready_backends("a b");
  std::vector<Duration> rests;
  for (int i = 0; i < 6; ++i) {
    declines("a");
    rests.push_back(rest_of("a"));
  }
  EXPECT_EQ(rests, (std::vector<Duration>{250ms, 500ms, 1s, 2s, 2s, 2s}));
  passes(11s);
  declines("a");
  EXPECT_EQ(rest_of("a"), 250ms);
}

TEST_F(DecliningTest, ThoseThatWereOnTheirWayAreTheSameNews) {
  ready_backends("a b");
  TestClient& one = asks_for("a");
  TestClient& two = asks_for("a");
  declines("a");
  declined(one);
  rest_of("a");
  declined(two);
  EXPECT_EQ(rest_of("a"), 0ms);
  declines("a");
  EXPECT_EQ(rest_of("a"), 500ms);
}

TEST_F(DecliningTest, HasAcceptedWhatItDoesNotDeclineForASecond) {
  ready_backends("a b");
  declines("a");
  rest_of("a");
  TestClient& question = asks_for("a");
  passes(900ms);
  EXPECT_EQ(picks(2), "bb");
  passes(100ms);
  EXPECT_FALSE(backend("a").is_reluctant);
  EXPECT_EQ(picks(2), "ab");
  question.lease.succeeded(now);
}

TEST_F(DecliningTest, WhenAllDeclineAllAreAsked) {
  ready_backends("a b");
  declines("a");
  EXPECT_EQ(picks(2), "bb");
  declines("b");
  EXPECT_EQ(picks(2), "aa");
}

TEST_F(DecliningTest, TheOnlyOneIsAlwaysAsked) {
  ready_backends("a");
  declines("a");
  EXPECT_EQ(asks().state(), "a");
  declines("a");
  EXPECT_EQ(asks().state(), "a");
}

TEST_F(DecliningTest, IsTakenWhenTheOthersGo) {
  ready_backends("a b");
  declines("a");
  refuses("b");
  EXPECT_EQ(asks().state(), "a");
}

TEST_F(DecliningTest, RequestsWaitForAnotherOneThatIsFull) {
  options.max_outstanding = 1;
  ready_backends("a b");
  declines("a");
  picks(1);
  TestClient& first = asks();
  TestClient& second = asks();
  EXPECT_EQ(first.state(), "waiting");
  rest_of("a");
  EXPECT_EQ(first.state(), "a");
  EXPECT_EQ(second.state(), "waiting");
}

TEST_F(DecliningTest, WhoHasBeenToTheOthersNeedNotWaitForItsRest) {
  ready_backends("a b c");
  declines("a");
  refuses("c");
  EXPECT_EQ(asks_for("a").state(), "a");
}

TEST_F(DecliningTest, ComesBackAsIfItHadNeverDeclined) {
  ready_backends("a b");
  declines("a");
  EXPECT_TRUE(backend("a").is_reluctant);
  refuses("a");
  answers("a", 200);
  EXPECT_FALSE(backend("a").is_reluctant);
}

}  // namespace
}  // namespace weir
