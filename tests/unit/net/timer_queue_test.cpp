#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "weir/timer.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

// A timer that writes its name into a shared text when due.
class Alarm {
 public:
  Alarm(TimerQueue& queue, std::string& heard, char name)
      : timer(queue, bind<&Alarm::on_due>(this)), queue_(queue), heard_(heard), name_(name) {}

  void on_due() {
    heard_ += name_;
    rang_at = queue_.now();
    if (again != Duration::zero()) timer.start(std::exchange(again, Duration::zero()));
    if (victim != nullptr) victim->reset();  // may be ourselves
  }

  Timer timer;
  TimePoint rang_at{};
  Duration again{};
  std::unique_ptr<Alarm>* victim = nullptr;

 private:
  TimerQueue& queue_;
  std::string& heard_;
  char name_;
};

class TimerQueueTest : public testing::Test {
 protected:
  std::unique_ptr<Alarm> alarm(char name) { return std::make_unique<Alarm>(queue, heard, name); }
  void advance(Duration by) { queue.advance_to(queue.now() + by); }

  TimerQueue queue{TimePoint(1h)};
  std::string heard;
};

TEST_F(TimerQueueTest, RunsWhatIsDueInTheOrderOfTime) {
  const auto a = alarm('a'), b = alarm('b'), c = alarm('c');
  a->timer.start(3s);
  b->timer.start(1s);
  c->timer.start(2s);
  advance(2s);
  EXPECT_EQ(heard, "bc");
  EXPECT_TRUE(a->timer.is_armed());
  EXPECT_FALSE(b->timer.is_armed());
}

TEST_F(TimerQueueTest, EqualTimesRunInTheOrderOfArming) {
  const auto a = alarm('a'), b = alarm('b'), c = alarm('c');
  for (Alarm* one : {c.get(), a.get(), b.get()}) one->timer.start(1s);
  advance(1s);
  EXPECT_EQ(heard, "cab");
}

TEST_F(TimerQueueTest, ACallbackSeesItsOwnDueTimeAsNow) {
  const auto a = alarm('a');
  a->timer.start(1s);
  advance(10s);
  EXPECT_EQ(a->rang_at, TimePoint(1h + 1s));
  EXPECT_EQ(queue.now(), TimePoint(1h + 10s));
}

TEST_F(TimerQueueTest, ACallbackMayArmItsTimerAgainWithinTheSameAdvance) {
  const auto a = alarm('a');
  a->again = 1s;
  a->timer.start(1s);
  advance(2s);
  EXPECT_EQ(heard, "aa");
}

TEST_F(TimerQueueTest, StartingAnArmedTimerMovesIt) {
  const auto a = alarm('a');
  a->timer.start(1s);
  a->timer.start(5s);
  EXPECT_EQ(queue.size(), 1U);
  advance(4s);
  EXPECT_EQ(heard, "");
  advance(1s);
  EXPECT_EQ(heard, "a");
}

TEST_F(TimerQueueTest, ACancelledTimerIsSilentAndMayBeCancelledTwice) {
  const auto a = alarm('a');
  a->timer.start(1s);
  a->timer.cancel();
  a->timer.cancel();
  advance(2s);
  EXPECT_EQ(heard, "");
  EXPECT_TRUE(queue.is_empty());
}

TEST_F(TimerQueueTest, ADestroyedTimerIsSilent) {
  auto a = alarm('a');
  const auto b = alarm('b');
  a->timer.start(1s);
  b->timer.start(1s);
  a.reset();
  advance(1s);
  EXPECT_EQ(heard, "b");
}

TEST_F(TimerQueueTest, ACallbackMayDestroyAnotherTimerThatIsDueToo) {
  auto a = alarm('a'), b = alarm('b');
  a->victim = &b;
  a->timer.start(1s);
  b->timer.start(1s);
  advance(1s);
  EXPECT_EQ(heard, "a");
}

TEST_F(TimerQueueTest, ACallbackMayDestroyItsOwner) {
  auto a = alarm('a');
  a->victim = &a;
  a->timer.start(1s);
  advance(1s);
  EXPECT_EQ(a, nullptr);
}

TEST_F(TimerQueueTest, TimeNeverGoesBack) {
  queue.set_now(TimePoint(1s));
  EXPECT_EQ(queue.now(), TimePoint(1h));
}

TEST_F(TimerQueueTest, ATimerInThePastIsDueAtOnceAndDoesNotTurnTimeBack) {
  const auto a = alarm('a');
  a->timer.start_at(TimePoint(1s));
  advance(0s);
  EXPECT_EQ(heard, "a");
  EXPECT_EQ(a->rang_at, TimePoint(1h));
}

TEST_F(TimerQueueTest, KeepsItsOrderUnderManyMoves) {
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 500; ++i) alarms.push_back(alarm('x'));
  for (int i = 0; i < 20'000; ++i) {
    Alarm& one = *alarms[random() % alarms.size()];
    if (random() % 3 == 0)
      one.timer.cancel();
    else
      one.timer.start(std::chrono::milliseconds(random() % 1000));
  }
  const size_t armed = queue.size();
  TimePoint last = queue.now();
  while (!queue.is_empty()) {
    ASSERT_GE(queue.next_due(), last);
    last = queue.next_due();
    queue.advance_to(last);
  }
  EXPECT_EQ(heard.size(), armed);
}

}  // namespace
}  // namespace weir
