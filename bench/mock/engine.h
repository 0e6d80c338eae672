// The pretend inference engine: continuous batching in virtual time. Sequences wait in a FIFO, at
// most max_seqs run; prompts are read one after another, then every step gives each running
// sequence one token, and a step takes longer the larger the batch is. No clock and no I/O: its
// owner says what time it is and calls step() when next_due() has come. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "weir/timer.h"

namespace weir {

struct EngineOptions {
  Duration ttft{};
  Duration itl{};
  Duration prefill_per_token{};
  double batch_slowdown = 0;
  uint32_t max_seqs = 256;
};

class Sequence;

class SequenceUser {
 public:
  // One more token; when it was the last one the engine has already let go of the sequence. May
  // submit and remove any.
  virtual void on_token(Sequence& sequence) = 0;

 protected:
  ~SequenceUser() = default;
};

// One sequence to be generated; owned by its user, who removes it from the engine before destroying
// it.
class Sequence {
 public:
  enum class State : uint8_t { idle, waiting, running };

  explicit Sequence(SequenceUser& user) : user_(&user) {}
  Sequence(Sequence&&) = default;  // only while idle
  Sequence& operator=(Sequence&&) = delete;

  uint32_t prompt_tokens = 0;
  uint32_t max_tokens = 1;  // at least 1
  uint32_t index = 0;       // the user's
  Duration more_prefill{};
  bool is_held = false;  // runs, but no token comes: a fault

  State state() const { return state_; }
  uint32_t generated() const { return generated_; }
  bool is_done() const { return generated_ >= max_tokens; }

 private:
  friend class Engine;
  SequenceUser* user_;
  State state_ = State::idle;
  uint32_t generated_ = 0;
  TimePoint read_from_{};  // its prompt is read from … to …
  TimePoint read_by_{};
  TimePoint ready_at_{};  // its first token may come
};

class Engine {
 public:
  static constexpr TimePoint kNever = TimePoint::max();
  static constexpr Duration kMostLag = std::chrono::milliseconds(20);

  explicit Engine(const EngineOptions& options) : options_(options) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void submit(Sequence& sequence, TimePoint now);
  void remove(Sequence& sequence, TimePoint now);  // does nothing when idle

  TimePoint next_due() const { return next_due_; }
  // One token for every sequence that is ready. An owner that comes late is given the missed steps
  // one by one, but never more than kMostLag of them.
  void step(TimePoint now);

  size_t running() const { return running_count_; }
  size_t waiting() const { return waiting_.size(); }
  uint64_t generated_tokens() const { return generated_tokens_; }
  uint64_t prompt_tokens() const { return prompt_tokens_; }
  uint64_t held_tokens() const;  // prompt and answer of what runs: what would lie in the KV cache
  Duration step_time(size_t batch) const;

 private:
  void admit(TimePoint now);
  void start(Sequence& sequence, TimePoint now);
  void let_go_of_prompt(const Sequence& sequence, TimePoint now);
  void take_from_running(Sequence& sequence);
  void plan();

  EngineOptions options_;
  std::deque<Sequence*> waiting_;
  std::vector<Sequence*> running_;  // in order of admission; nullptr = gone during this step
  size_t running_count_ = 0;
  bool is_stepping_ = false;
  TimePoint prompts_read_by_{};
  TimePoint last_step_{};
  TimePoint next_due_ = kNever;
  uint64_t generated_tokens_ = 0;
  uint64_t prompt_tokens_ = 0;
};

}  // namespace weir
