// What it means that a backend declined a request: it is full, or it is being stopped. Not ill, but
// the next one is better off elsewhere. So it rests for a moment, longer each time, and is then
// asked with one request. A pure state machine; the balancer's mutex guards it.
//
//   willing ── declined ──▶ resting ── its time is over ──▶ asked
//      ▲                       ▲                             │  │
//      │                       └──────── declined again ─────┘  │
//      └─────────── not declined for a second: accepted ────────┘
#pragma once

#include <cstdint>

#include "weir/timer.h"

namespace weir {

class Reluctance {
 public:
  enum class Phase : uint8_t { willing, resting, asked };

  Phase phase() const { return phase_; }
  bool is_willing() const { return phase_ == Phase::willing; }
  // The next request asks it.
  bool is_asked_next() const { return phase_ == Phase::asked && !is_question_out_; }
  TimePoint due() const { return due_; }  // when resting

  // A request goes to it.
  void on_taken(TimePoint now) {
    if (!is_asked_next()) return;
    is_question_out_ = true;
    due_ = now + kAccepted;
  }
  // Each returns whether it is in another phase now.
  bool on_declined(TimePoint now);
  bool watch(TimePoint now);
  void forget() { *this = Reluctance(); }  // it went away

 private:
  // vLLM's admission control declines within 10 ms.
  static constexpr Duration kAccepted = std::chrono::seconds(1);

  Phase phase_ = Phase::willing;
  bool is_question_out_ = false;
  uint8_t level_ = 0;  // the next rest is kShortest * 2^level
  TimePoint due_{};    // the end of the rest, or when the question is as good as accepted
  TimePoint declined_{};
};

}  // namespace weir
