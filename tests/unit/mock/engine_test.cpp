#include "bench/mock/engine.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

// Sequences by number, and when each of them got its tokens.
class EngineTest : public testing::Test, public SequenceUser {
 protected:
  void make(EngineOptions options) { engine = std::make_unique<Engine>(options); }

  Sequence& submit(uint32_t prompt_tokens, uint32_t max_tokens) {
    auto& sequence =
        sequences.emplace_back(std::make_unique<Sequence>(static_cast<SequenceUser&>(*this)));
    sequence->prompt_tokens = prompt_tokens;
    sequence->max_tokens = max_tokens;
    sequence->index = static_cast<uint32_t>(sequences.size() - 1);
    tokens.emplace_back();
    engine->submit(*sequence, now);
    return *sequence;
  }

  void advance(Duration by) {
    const TimePoint to = now + by;
    while (engine->next_due() <= to) {
      now = engine->next_due();
      engine->step(now);
    }
    now = to;
  }

  std::vector<Duration> times(size_t sequence) const {
    std::vector<Duration> out;
    for (const TimePoint at : tokens[sequence]) out.push_back(at - TimePoint{});
    return out;
  }

  void on_token(Sequence& sequence) override {
    tokens[sequence.index].push_back(now);
    if (leaves_at_token == tokens[sequence.index].size()) {
      for (const auto& each : sequences) engine->remove(*each, now);
    }
  }

  TimePoint now{};
  std::unique_ptr<Engine> engine;
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::vector<std::vector<TimePoint>> tokens;
  size_t leaves_at_token = 0;
};

TEST_F(EngineTest, GivesTheFirstTokenAfterTtftAndThePromptAndThenOneEachItl) {
  make({.ttft = 80ms, .itl = 10ms, .prefill_per_token = 1ms});
  submit(20, 3);
  advance(1s);
  EXPECT_EQ(times(0), (std::vector<Duration>{100ms, 110ms, 120ms}));
  EXPECT_EQ(engine->running(), 0u);
  EXPECT_EQ(engine->next_due(), Engine::kNever);
}

TEST_F(EngineTest, ReadsPromptsOneAfterAnother) {
  make({.ttft = 10ms, .itl = 1ms, .prefill_per_token = 1ms});
  submit(100, 1);
  submit(50, 1);
  advance(1s);
  EXPECT_EQ(times(0), (std::vector<Duration>{110ms}));
  EXPECT_EQ(times(1), (std::vector<Duration>{160ms}));
}

TEST_F(EngineTest, AStepTakesLongerTheLargerTheBatchIs) {
  make({.itl = 10ms, .batch_slowdown = 0.5});
  for (int i = 0; i < 3; ++i) submit(1, 3);
  advance(1s);
  EXPECT_EQ(times(0), (std::vector<Duration>{0ms, 20ms, 40ms}));
  EXPECT_EQ(times(2), times(0));
  EXPECT_EQ(engine->generated_tokens(), 9u);
}

TEST_F(EngineTest, RunsAtMostMaxSeqsAndTakesTheOthersInOrder) {
  make({.itl = 10ms, .max_seqs = 2});
  for (int i = 0; i < 4; ++i) submit(1, 2);
  EXPECT_EQ(engine->running(), 2u);
  EXPECT_EQ(engine->waiting(), 2u);
  advance(10ms);
  EXPECT_EQ(engine->running(), 2u);
  EXPECT_EQ(engine->waiting(), 0u);
  advance(1s);
  EXPECT_EQ(times(0).back(), 10ms);
  EXPECT_EQ(times(2).front(), 10ms);
  EXPECT_EQ(times(3).size(), 2u);
}

TEST_F(EngineTest, ASequenceThatIsRemovedGetsNoMoreTokensAndFreesItsPlace) {
  make({.itl = 10ms, .max_seqs = 1});
  Sequence& first = submit(1, 1000);
  submit(1, 1);
  advance(25ms);
  engine->remove(first, now);
  EXPECT_EQ(first.state(), Sequence::State::idle);
  advance(1s);
  EXPECT_EQ(times(0).size(), 3u);
  EXPECT_EQ(times(1).size(), 1u);
}

TEST_F(EngineTest, ASequenceThatLeavesTheQueueIsNeverStarted) {
  make({.itl = 10ms, .max_seqs = 1});
  submit(1, 2);
  Sequence& second = submit(1, 2);
  submit(1, 2);
  engine->remove(second, now);
  advance(1s);
  EXPECT_TRUE(times(1).empty());
  EXPECT_EQ(times(2).size(), 2u);
}

TEST_F(EngineTest, APromptThatLeavesUnreadDelaysNobody) {
  make({.ttft = 10ms, .prefill_per_token = 1ms});
  Sequence& large = submit(1000, 1);
  submit(20, 1);
  advance(100ms);
  engine->remove(large, now);
  advance(1s);
  EXPECT_EQ(times(1), (std::vector<Duration>{130ms}));
}

TEST_F(EngineTest, AHeldSequenceRunsWithoutAToken) {
  make({.itl = 10ms});
  submit(1, 5).is_held = true;
  submit(1, 5);
  advance(1s);
  EXPECT_TRUE(times(0).empty());
  EXPECT_EQ(times(1).size(), 5u);
  EXPECT_EQ(engine->running(), 1u);
}

TEST_F(EngineTest, ASlowPromptDelaysItsFirstTokenOnly) {
  make({.ttft = 10ms, .itl = 10ms});
  submit(1, 2);
  sequences[0]->is_held = true;  // so that nothing runs beside the other
  auto& slow =
      sequences.emplace_back(std::make_unique<Sequence>(static_cast<SequenceUser&>(*this)));
  slow->index = 1;
  slow->max_tokens = 2;
  slow->more_prefill = 500ms;
  tokens.emplace_back();
  engine->submit(*slow, now);
  advance(1s);
  EXPECT_EQ(times(1), (std::vector<Duration>{510ms, 520ms}));
}

TEST_F(EngineTest, EverybodyMayLeaveDuringAStep) {
  make({.itl = 10ms});
  for (int i = 0; i < 5; ++i) submit(1, 10);
  leaves_at_token = 2;
  advance(1s);
  EXPECT_EQ(times(0).size(), 2u);
  EXPECT_EQ(times(4).size(), 1u);
  EXPECT_EQ(engine->running(), 0u);
  EXPECT_EQ(engine->next_due(), Engine::kNever);
}

TEST_F(EngineTest, AnOwnerThatComesMuchTooLateIsGivenFewOfTheMissedSteps) {
  make({.itl = 1ms});
  submit(1, 1000);
  engine->step(now);
  now += 1s;
  int steps = 0;
  for (; engine->next_due() <= now; ++steps) engine->step(now);
  EXPECT_GE(steps, 20);
  EXPECT_LE(steps, 22);
}

TEST_F(EngineTest, FirstTokensComeWithTheStepsOfWhatRuns) {
  make({.ttft = 5ms, .itl = 10ms});
  submit(1, 3);
  advance(7ms);
  submit(1, 2);  // ready at 12 ms; the steps are at 5, 15 and 25 ms
  advance(1s);
  EXPECT_EQ(times(1), (std::vector<Duration>{15ms, 25ms}));
}

TEST_F(EngineTest, HoldsThePromptAndTheAnswerOfWhatRuns) {
  make({.itl = 10ms});
  submit(100, 5);
  advance(10ms);
  EXPECT_EQ(engine->held_tokens(), 102u);
  advance(1s);
  EXPECT_EQ(engine->held_tokens(), 0u);
  EXPECT_EQ(engine->prompt_tokens(), 100u);
}

}  // namespace
}  // namespace weir
