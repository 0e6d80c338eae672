#include "bench/mock/engine.h"

#include <algorithm>

#include "weir/assert.h"

namespace weir {

void Engine::submit(Sequence& sequence, TimePoint now) {
  WEIR_ASSERT(sequence.state_ == Sequence::State::idle && sequence.max_tokens > 0);
  sequence.state_ = Sequence::State::waiting;
  sequence.generated_ = 0;
  waiting_.push_back(&sequence);
  if (is_stepping_) return;
  admit(now);
  plan();
}

void Engine::remove(Sequence& sequence, TimePoint now) {
  if (sequence.state_ == Sequence::State::idle) return;
  if (sequence.state_ == Sequence::State::waiting) {
    std::erase(waiting_, &sequence);
  } else {
    let_go_of_prompt(sequence, now);
    take_from_running(sequence);
  }
  sequence.state_ = Sequence::State::idle;
  if (is_stepping_) return;
  std::erase(running_, nullptr);
  admit(now);
  plan();
}

void Engine::step(TimePoint now) {
  if (next_due_ > now) return;
  last_step_ = std::max(next_due_, now - kMostLag);
  is_stepping_ = true;
  // By index: on_token may take others out, which turns their entries to nullptr.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence* sequence = running_[i];
    if (sequence == nullptr || sequence->is_held || sequence->ready_at_ > last_step_) continue;
    if (sequence->generated_ == 0) prompt_tokens_ += sequence->prompt_tokens;
    ++sequence->generated_;
    ++generated_tokens_;
    if (sequence->is_done()) {
      take_from_running(*sequence);
      sequence->state_ = Sequence::State::idle;
    }
    sequence->user_->on_token(*sequence);
  }
  is_stepping_ = false;
  std::erase(running_, nullptr);
  admit(last_step_);
  plan();
}

uint64_t Engine::held_tokens() const {
  uint64_t tokens = 0;
  for (const Sequence* sequence : running_) {
    if (sequence != nullptr) tokens += uint64_t{sequence->prompt_tokens} + sequence->generated_;
  }
  return tokens;
}

Duration Engine::step_time(size_t batch) const {
  const double others = batch > 1 ? static_cast<double>(batch - 1) : 0;
  const double factor = 1 + options_.batch_slowdown * others;
  return Duration(static_cast<Duration::rep>(static_cast<double>(options_.itl.count()) * factor));
}

void Engine::admit(TimePoint now) {
  while (!waiting_.empty() && running_count_ < options_.max_seqs) {
    Sequence* sequence = waiting_.front();
    waiting_.pop_front();
    start(*sequence, now);
  }
}

void Engine::start(Sequence& sequence, TimePoint now) {
  sequence.state_ = Sequence::State::running;
  sequence.read_from_ = std::max(prompts_read_by_, now);
  sequence.read_by_ = sequence.read_from_ + options_.prefill_per_token * sequence.prompt_tokens;
  sequence.ready_at_ = sequence.read_by_ + options_.ttft + sequence.more_prefill;
  prompts_read_by_ = sequence.read_by_;
  running_.push_back(&sequence);
  ++running_count_;
}

// What was not yet read of its prompt needs no reading any more: those behind it come earlier.
void Engine::let_go_of_prompt(const Sequence& sequence, TimePoint now) {
  const TimePoint from = std::max(sequence.read_from_, now);
  if (from >= sequence.read_by_) return;
  const Duration rest = sequence.read_by_ - from;
  const TimePoint end = sequence.read_by_;
  for (Sequence* other : running_) {
    if (other == nullptr || other == &sequence || other->read_from_ < end) continue;
    other->read_from_ -= rest;
    other->read_by_ -= rest;
    other->ready_at_ -= rest;
  }
  prompts_read_by_ -= rest;
}

void Engine::take_from_running(Sequence& sequence) {
  const auto it = std::ranges::find(running_, &sequence);
  WEIR_ASSERT(it != running_.end());
  *it = nullptr;
  --running_count_;
}

// While something is being decoded, first tokens come with the steps too, as in a real engine.
void Engine::plan() {
  size_t decoding = 0;
  TimePoint first_ready = kNever;
  for (const Sequence* sequence : running_) {
    if (sequence->is_held) continue;
    if (sequence->generated_ > 0) {
      ++decoding;
    } else {
      first_ready = std::min(first_ready, sequence->ready_at_);
    }
  }
  next_due_ = decoding > 0 ? last_step_ + step_time(decoding) : first_ready;
}

}  // namespace weir
