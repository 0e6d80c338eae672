#include "lb/net/event_loop.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lb/net/signals.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

// A task that writes its name when it runs.
struct Job {
  Job(EventLoop& loop, std::string& log, char job_name)
      : task(loop, bind<&Job::run>(this)), heard(log), name(job_name) {}
  void run() {
    heard += name;
    if (std::exchange(must_repeat, false)) task.post();
    if (victim != nullptr) victim->reset();  // may be ourselves
  }
  Task task;
  std::string& heard;
  char name;
  bool must_repeat = false;
  std::unique_ptr<Job>* victim = nullptr;
};

class EventLoopTest : public testing::Test {
 protected:
  std::unique_ptr<Job> job(char name) { return std::make_unique<Job>(loop, heard, name); }

  EventLoop loop;
  std::string heard;
};

TEST_F(EventLoopTest, APostedTaskRunsInALaterTurn) {
  const auto a = job('a');
  a->task.post();
  EXPECT_EQ(heard, "");
  loop.run_once();
  EXPECT_EQ(heard, "a");
}

TEST_F(EventLoopTest, PostingTwiceRunsOnce) {
  const auto a = job('a');
  a->task.post();
  a->task.post();
  loop.run_once();
  EXPECT_EQ(heard, "a");
}

TEST_F(EventLoopTest, ATaskMayPostItselfAgain) {
  const auto a = job('a');
  a->must_repeat = true;
  a->task.post();
  loop.run_once();
  EXPECT_EQ(heard, "a");
  loop.run_once();
  EXPECT_EQ(heard, "aa");
}

TEST_F(EventLoopTest, ADestroyedTaskDoesNotRun) {
  auto a = job('a');
  const auto b = job('b');
  a->task.post();
  b->task.post();
  a.reset();
  loop.run_once();
  EXPECT_EQ(heard, "b");
}

TEST_F(EventLoopTest, ATaskMayDestroyAnotherOfTheSameBatch) {
  const auto a = job('a');
  auto b = job('b');
  a->victim = &b;
  a->task.post();
  b->task.post();
  loop.run_once();
  EXPECT_EQ(heard, "a");
}

TEST_F(EventLoopTest, ATaskMayDestroyItself) {
  auto a = job('a');
  a->victim = &a;
  a->task.post();
  loop.run_once();
  EXPECT_EQ(a, nullptr);
}

TEST_F(EventLoopTest, TimersRunOnTheLoop) {
  const auto a = job('a');
  Timer timer(loop.timers(), bind<&Job::run>(a.get()));
  timer.start(1ms);
  while (heard.empty()) loop.run_once();
  EXPECT_EQ(heard, "a");
}

TEST_F(EventLoopTest, AnEarlierTimerIsNotKeptWaitingByALaterOne) {
  const auto late = job('l'), soon = job('s');
  Timer later(loop.timers(), bind<&Job::run>(late.get()));
  Timer sooner(loop.timers(), bind<&Job::run>(soon.get()));
  later.start(1h);
  late->task.post();
  loop.run_once();  // the loop is told of the hour
  sooner.start(1ms);
  while (heard.size() < 2) loop.run_once();
  EXPECT_EQ(heard, "ls");
}

TEST_F(EventLoopTest, ARetiredObjectGoesAtTheEndOfTheTurn) {
  struct Mortal {
    explicit Mortal(bool& gone) : is_gone(gone) {}
    ~Mortal() { is_gone = true; }
    bool& is_gone;
  };
  bool is_gone = false;
  loop.retire(std::make_unique<Mortal>(is_gone));
  EXPECT_FALSE(is_gone);
  loop.run_once();
  EXPECT_TRUE(is_gone);
}

TEST_F(EventLoopTest, StopEndsRunAlsoWhenItCameFirst) {
  loop.stop();
  loop.run();
  std::thread stopper([this] { loop.stop(); });
  loop.run();
  stopper.join();
}

TEST_F(EventLoopTest, ASignalIsHeardOnTheLoop) {
  struct Ear {
    void on_signal(int number) { heard = number; }
    int heard = 0;
  } ear;
  const Signals signals(loop, {SIGUSR1}, bind<&Ear::on_signal>(&ear));
  ::raise(SIGUSR1);
  while (ear.heard == 0) loop.run_once();
  EXPECT_EQ(ear.heard, SIGUSR1);
}

// Every post is followed by a run that sees what was written before it.
TEST_F(EventLoopTest, TasksPostedByOtherThreadsAreNeverLost) {
  constexpr int kPosts = 20'000;
  struct Sum {
    void run() { seen = written.load(); }
    std::atomic<int> written{0};
    int seen = 0;
  } sum;
  Task task(loop, bind<&Sum::run>(&sum));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kPosts; ++n) {
        sum.written.fetch_add(1);
        task.post();
      }
    });
  }
  while (sum.seen < 4 * kPosts) loop.run_once();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum.seen, 4 * kPosts);
}

}  // namespace
}  // namespace weir
