// What the outcomes of exchanges say of one backend: too many failures in a row and it is taken out
// for a while, longer each time; then one request tries it. A pure state machine; the balancer's
// mutex guards it. Whether a backend may be taken out at all (never the last one, at most half of
// the pool) is for the balancer to say.
//
//   in ── `eject_failures` in a row ──▶ out ── its time is over ──▶ on_trial
//   ▲                                    ▲                             │  │
//   │                                    └──────── it failed again ────┘  │
//   └──────────────────── it succeeded, or kept sending ──────────────────┘
#pragma once

#include <cstdint>
#include <string>

#include "weir/split_mix.h"

#include "lb/balance/balancer.h"

namespace weir {

class Ejection {
 public:
  enum class Phase : uint8_t { in, out, on_trial };

  Ejection(const HealthOptions& options, uint64_t seed) : options_(options), chance_(seed) {}

  Phase phase() const { return phase_; }
  bool is_out() const { return phase_ != Phase::in; }  // on trial is not in yet
  uint32_t times() const { return times_; }            // ever taken out
  TimePoint since() const { return since_; }
  TimePoint due() const { return due_; }  // of the trial
  const std::string& reason() const { return reason_; }

  void on_success() { failures_in_a_row_ = 0; }
  // Counts; true: there is reason to take it out (or to leave it out).
  bool on_failure(ErrorKind kind, TimePoint now);
  void eject(ErrorKind kind, TimePoint now);

  bool is_trial_due(TimePoint now) const { return phase_ == Phase::out && now >= due_; }
  void begin_trial();
  // In again, for whatever reason; the count begins anew.
  void end(TimePoint now);
  // A good long time makes the next one shorter. Now and then.
  void forget(TimePoint now);

 private:
  Duration next_length();

  HealthOptions options_;
  SplitMix chance_;
  Phase phase_ = Phase::in;
  uint32_t failures_in_a_row_ = 0;
  uint32_t level_ = 0;  // the next one is eject_base * 2^level long
  uint32_t times_ = 0;
  TimePoint since_{};
  TimePoint due_{};
  TimePoint good_since_{};
  std::string reason_;
};

// "10 s", "500 ms": for people.
std::string in_words(Duration span);

}  // namespace weir
