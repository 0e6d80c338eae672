// What a Balancer decides, without its mutex: every function is called with it held, and leaves in
// an Aftermath what has to be done once it is free. Private to lb/balance.
//
// Between two calls nobody in line could take a backend that is free (the line is served whenever
// capacity appears). So who comes anew may take any free backend without overtaking anybody.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "lb/balance/backend_table.h"
#include "lb/balance/balancer.h"
#include "lb/balance/policy.h"
#include "lb/balance/retry_budget.h"
#include "lb/balance/wait_estimate.h"
#include "lb/balance/waiting_room.h"

namespace weir {

// Workers to wake and lines to log. Events wait in Impl, because their order matters across
// threads.
struct Aftermath {
  Wakes wakes;
  std::vector<std::string> traces;
  bool has_events = false;
};

struct Balancer::Impl {
  Impl(Balancer& owner, BackendObserver* observer);

  Result<std::optional<Lease>> ask(const Wish& wish, Place& place, PlaceWaker& waker, TimePoint now,
                                   Aftermath& after);
  void give_back(BackendState& state, bool was_trial, uint32_t epoch, Aftermath& after);
  void expire(TimePoint now, Aftermath& after);
  void update(const BackendSet& set, size_t pending, TimePoint now, Aftermath& after);
  void on_probe(BackendState& state, const ProbeResult& result, TimePoint now, Aftermath& after);
  void on_success(BackendState& state, uint32_t epoch, TimePoint now, Aftermath& after);
  void on_failure(BackendState& state, uint32_t epoch, const Error& error, TimePoint now,
                  Aftermath& after);
  void on_declined(BackendState& state, TimePoint now, Aftermath& after);
  void set_draining(BackendState& state, bool draining, TimePoint now, Aftermath& after);
  void watch(TimePoint now, Aftermath& after);
  Duration until_next_watch(TimePoint now) const;
  Duration retry_after(ErrorKind kind, TimePoint now) const;
  std::string describe() const;
  std::string time_left() const;

  // Delivers what was decided. Without the mutex.
  void finish(Aftermath& after);

  Balancer& owner;
  const BalancerOptions& options;
  BackendObserver* const observer;

  mutable std::mutex mutex;  // guards all below
  BackendTable table;
  Policy policy;
  WaitingRoom room;
  RetryBudget budget;
  WaitEstimate estimate;
  size_t pending = 0;                // backends that may still come
  size_t usable = 0;                 // backend_state.h says which these are
  size_t fit = 0;                    //
  size_t eager = 0;                  //
  size_t ejected = 0;                //
  size_t stuck = 0;                  //
  size_t outstanding = 0;            // leases out, of removed backends too
  TimePoint clock{};                 // the last `now`, for calls that come without one
  TimePoint none_since{};            // no backend is usable
  std::vector<BackendEvent> events;  // not delivered yet
  bool is_delivering = false;        // somebody is; he takes what is added meanwhile

  bool has_usable(const Wish& wish) const;
  bool has_fit(const Wish& wish) const;

 private:
  std::optional<Lease> try_take(const Wish& wish, Aftermath& after);
  std::optional<Lease> try_take_held_back(const Wish& wish, Aftermath& after);
  Lease take(BackendState& state, const Wish& wish, Aftermath& after);
  bool may_wait(const Wish& wish) const;
  ErrorKind refusal() const;

  // After anything that may change whether the state may be chosen.
  void refresh(BackendState& state);
  void reindex(BackendState& state);  // only its load is another one
  bool may_be_chosen(const BackendState& state) const;
  // After a change of the health of a backend that was `from`; then, once, after_changes().
  void settle(BackendState& state, BackendStateName from, TimePoint now, Aftermath& after);
  void after_changes(TimePoint now, Aftermath& after);
  void note_change(const BackendState& state, BackendStateName from, Aftermath& after);

  // balancer_watch.cpp
  struct Pulse;
  bool may_eject(const BackendState& state) const;
  void release_ejected(TimePoint now, Aftermath& after);
  Pulse feel_pulse(TimePoint now) const;
  bool seems_stuck(const BackendState& state, const Pulse& pulse, TimePoint now) const;
  bool watch_one(BackendState& state, const Pulse& pulse, TimePoint now, Aftermath& after);
  static bool watch_ejection(BackendState& state, TimePoint now);
  bool watch_stuck(BackendState& state, const Pulse& pulse, TimePoint now) const;
  void watch_slow_start(BackendState& state, TimePoint now);
  Duration loading_for(TimePoint now) const;

  // After capacity may have appeared, or the last hope of somebody in line has gone.
  enum class Ask : uint8_t { eager_ones, all };
  void serve_line(Aftermath& after, Ask whom);
  void refuse_the_hopeless(Aftermath& after);
  std::string trace_choice(const BackendState& chosen, const Wish& wish) const;
};

}  // namespace weir
