// How soon the balancer wants to be looked at again: an idle service is to sleep.
#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

class WatchRhythmTest : public BalancerTest {
 public:
  void on_line_begun() { ++lines_begun; }

 protected:
  Duration next() { return balancer().watch(now); }
  int lines_begun = 0;
};

TEST_F(WatchRhythmTest, RestsWithoutRequests) {
  ready_backends("a b");
  EXPECT_EQ(next(), 1s);
  drains("a");
  refuses("b");
  EXPECT_EQ(next(), 1s);
}

TEST_F(WatchRhythmTest, LooksOftenWhileARequestIsOut) {
  ready_backends("a");
  TestClient& one = asks();
  EXPECT_EQ(next(), 100ms);
  one.lease = Lease();
  EXPECT_EQ(next(), 1s);
}

TEST_F(WatchRhythmTest, LooksOftenWhileSomebodyWaits) {
  options.waits_for_backends = true;
  backends("a");
  refuses("a");
  TestClient& one = asks();
  EXPECT_EQ(one.state(), "waiting");
  EXPECT_EQ(next(), 100ms);
  one.leaves();
  EXPECT_EQ(next(), 1s);
}

TEST_F(WatchRhythmTest, LooksOftenWhileABackendStartsSlowly) {
  options.health.slow_start = 2s;
  ready_backends("a b");
  refuses("b");
  answers("b", 200);
  EXPECT_EQ(next(), 100ms);
  passes(2s);
  EXPECT_EQ(next(), 1s);
}

TEST_F(WatchRhythmTest, IsUpWhenAnEjectionEnds) {
  options.health.eject_failures = 1;
  options.health.eject_base = 10s;
  ready_backends("a b");
  fails("a", 1);
  ASSERT_EQ(state("a"), "ejected");
  for (int looks = 0; !backend("a").is_tried && looks < 100; ++looks) now += next();
  EXPECT_TRUE(backend("a").is_tried);
  EXPECT_EQ(next(), 1s) << "from now on it is for a request to try it";
}

TEST_F(WatchRhythmTest, SaysWhenALineBeginsAndNotAtEachThatJoins) {
  options.max_outstanding = 1;
  ready_backends("a");
  balancer().set_on_line_begun(bind<&WatchRhythmTest::on_line_begun>(this));
  asks();
  EXPECT_EQ(lines_begun, 0);
  TestClient& first = asks();
  TestClient& second = asks();
  EXPECT_EQ(lines_begun, 1);
  first.leaves();
  second.leaves();
  asks();
  EXPECT_EQ(lines_begun, 2);
}

}  // namespace
}  // namespace weir
