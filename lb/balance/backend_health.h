// The health of one backend, out of probes above all. A pure state machine; the balancer's mutex
// guards it. What failed requests say of a backend is Ejection's.
//
//   untried ──refused, 503──▶ loading ──┐          `rise` good probes in a row
//      │ └──── good, or a request succeeded ──▶ ready ◀──────────────┬──────────┐
//      │                                │        │ bad               │          │
//      └── `fall` bad in a row ─▶ down ◀┼────────┴─────▶ suspect ────┘ good     │
//                                       └── refused, `fall` bad in a row ─▶ down┘
//
// good: answered with a status below 500. bad: 500 and above, no answer in time, no connection for
// another reason than refusal. Before the first `ready`, a refusal or a 503 means that the backend
// is loading; after it a refusal means that it is down. Suspect is still given work. A probe that
// is missed while the backend sends to its clients counts as a good one, unless its port refuses: a
// server that is being stopped finishes its streams behind a closed port. Draining lies over all of
// it: while it is on, it is the state people see.
#pragma once

#include <string>

#include "lb/balance/balancer.h"

namespace weir {

class BackendHealth {
 public:
  BackendHealth(HealthOptions options, TimePoint now) : options_(options), since_(now) {}

  // Each returns whether anything is another way now; draining may hide it from state().
  // is_sending: bytes have come since the probe began, and its port does not refuse.
  bool on_probe(const ProbeResult& result, bool is_sending, TimePoint now);
  bool on_exchange_refused(TimePoint now);
  bool on_exchange_succeeded(TimePoint now);
  bool set_draining(bool draining, TimePoint now);

  BackendStateName state() const { return is_draining_ ? BackendStateName::draining : state_; }
  const std::string& reason() const { return is_draining_ ? drain_reason_ : reason_; }
  TimePoint since() const { return is_draining_ ? draining_since_ : since_; }

  bool is_usable(bool tries_unprobed) const;
  bool may_become_usable() const { return state_ != BackendStateName::failed; }
  // Was ready and is down, whether draining hides it or not.
  bool is_lost() const { return state_ == BackendStateName::down && has_been_ready_; }

 private:
  bool move_to(BackendStateName state, TimePoint now);
  bool on_good(TimePoint now);
  bool on_bad(TimePoint now);
  bool on_refused(TimePoint now);

  HealthOptions options_;
  BackendStateName state_ = BackendStateName::untried;
  std::string reason_ = "not probed yet";
  TimePoint since_;
  int good_in_a_row_ = 0;
  int bad_in_a_row_ = 0;
  bool has_been_ready_ = false;
  bool is_draining_ = false;
  std::string drain_reason_;
  TimePoint draining_since_{};
};

}  // namespace weir
