#include "lb/balance/balancer_impl.h"

#include <algorithm>
#include <array>

#include "weir/assert.h"
#include "weir/log.h"

namespace weir {
namespace {

void count(bool is, bool* was, size_t* counter) {
  if (is == *was) return;
  *was = is;
  *counter += is ? size_t{1} : ~size_t{0};
}

}  // namespace

Balancer::Impl::Impl(Balancer& owner_, BackendObserver* observer_)
    : owner(owner_),
      options(owner_.options()),
      observer(observer_),
      policy(options),
      budget(options.retry_budget) {}

Result<std::optional<Lease>> Balancer::Impl::ask(const Wish& wish, Place& place, PlaceWaker& waker,
                                                 TimePoint now, Aftermath& after) {
  clock = now;
  if (std::optional<Lease> lease = try_take(wish, after)) return lease;
  if (std::optional<Lease> lease = try_take_held_back(wish, after)) return lease;
  if (!may_wait(wish)) return Error{refusal()};
  if (room.size() >= options.queue_limit) return Error{ErrorKind::queue_full};
  const bool is_patient = options.queue_timeout == Duration::zero();
  WaitingRoom::set_times(place, now, is_patient ? TimePoint::max() : now + options.queue_timeout);
  room.enter(place, wish, waker);
  return std::optional<Lease>();
}

std::optional<Lease> Balancer::Impl::try_take(const Wish& wish, Aftermath& after) {
  BackendState* state = policy.choose(wish);
  if (state == nullptr) return std::nullopt;
  return take(*state, wish, after);
}

// A request that can go to no eager backend, because it has been to all of them, is not to suffer
// for the faults of the others; to those that are held back it goes when there is no other at all.
std::optional<Lease> Balancer::Impl::try_take_held_back(const Wish& wish, Aftermath& after) {
  if (eager == usable || is_without_exclusions(wish)) return std::nullopt;
  BackendState* best = nullptr;
  bool has_reluctant = false;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (!state->counted.usable || is_excluded(wish, *state)) continue;
    if (state->counted.eager) return std::nullopt;  // it is only full
    has_reluctant = has_reluctant || state->counted.fit;
    if (state->is_full()) continue;
    const bool is_first = best == nullptr || (state->counted.fit && !best->counted.fit);
    const bool is_peer = best != nullptr && state->counted.fit == best->counted.fit;
    if (is_first || (is_peer && state->load() < best->load())) best = state.get();
  }
  if (best == nullptr || (has_reluctant && !best->counted.fit)) return std::nullopt;
  return take(*best, wish, after);
}

Lease Balancer::Impl::take(BackendState& state, const Wish& wish, Aftermath& after) {
  if (is_logged(LogLevel::debug)) after.traces.push_back(trace_choice(state, wish));
  const bool is_trial = state.is_trial_next();
  state.take(clock);
  ++outstanding;
  budget.on_lease(is_without_exclusions(wish), state.outstanding);
  reindex(state);
  return Lease(&owner, state.shared_from_this(), is_trial);
}

void Balancer::Impl::give_back(BackendState& state, bool was_trial, uint32_t epoch,
                               Aftermath& after) {
  WEIR_ASSERT(outstanding > 0);
  --outstanding;
  estimate.on_release();
  state.give_back(was_trial, epoch);
  if (state.is_removed) return;
  reindex(state);
  serve_line(after, state.counted.eager ? Ask::eager_ones : Ask::all);
}

// The line is in the order of arrival and patience is the same for all, so the front is the first
// to give up.
void Balancer::Impl::expire(TimePoint now, Aftermath& after) {
  clock = now;
  while (!room.is_empty() && WaitingRoom::deadline_of(*room.front()) <= now) {
    room.refuse(*room.front(), ErrorKind::queue_timeout, after.wakes);
  }
}

void Balancer::Impl::update(const BackendSet& set, size_t pending_, TimePoint now,
                            Aftermath& after) {
  clock = now;
  pending = pending_;
  for (const std::shared_ptr<BackendState>& gone : table.update(set, options, now)) refresh(*gone);
  for (const std::shared_ptr<BackendState>& state : table.states()) refresh(*state);
  after_changes(now, after);
}

void Balancer::Impl::on_probe(BackendState& state, const ProbeResult& result, TimePoint now,
                              Aftermath& after) {
  clock = now;
  const BackendStateName from = state.state();
  const TimePoint since = state.since();
  if (result.kind == ProbeResult::Kind::answered) state.set_refusing(false, now);
  if (result.kind == ProbeResult::Kind::refused) state.set_refusing(true, now);
  const bool is_sending =
      result.began != TimePoint{} && state.last_byte() >= result.began && !state.refusing_since();
  if (!state.health.on_probe(result, is_sending, now)) return;
  if (from == BackendStateName::loading && state.state() == BackendStateName::ready) {
    estimate.on_loaded(now - since);
  }
  settle(state, from, now, after);
  after_changes(now, after);
}

void Balancer::Impl::on_success(BackendState& state, uint32_t epoch, TimePoint now,
                                Aftermath& after) {
  clock = now;
  ++state.served;
  if (state.is_removed) return;
  const BackendStateName from = state.state();
  bool is_change = state.health.on_exchange_succeeded(now);
  if (state.is_stuck) {
    state.is_stuck = false;
    is_change = true;
  }
  if (epoch == state.epoch) {
    is_change = is_change || state.ejection.is_out();
    if (state.ejection.is_out()) state.pardon(now);
    state.ejection.on_success();
  }
  if (!is_change) return;
  settle(state, from, now, after);
  after_changes(now, after);
}

void Balancer::Impl::on_failure(BackendState& state, uint32_t epoch, const Error& error,
                                TimePoint now, Aftermath& after) {
  clock = now;
  if (error.kind == ErrorKind::backend_declined) {
    on_declined(state, now, after);
    return;
  }
  // A reused connection that the backend had closed meanwhile is nobody's fault.
  const bool is_stale = error.on_reused_connection && error.kind == ErrorKind::backend_closed;
  if (!traits(error.kind).against_health || is_stale) return;
  ++state.failures;
  const bool is_refused = error.kind == ErrorKind::connect_refused;
  if (is_refused) state.set_refusing(true, now);
  if (state.is_removed) return;
  const BackendStateName from = state.state();
  bool is_change = is_refused && state.health.on_exchange_refused(now);
  if (epoch == state.epoch && state.ejection.on_failure(error.kind, now) && may_eject(state)) {
    state.eject(error.kind, now);
    is_change = true;
  }
  if (!is_change) return;
  settle(state, from, now, after);
  after_changes(now, after);
}

void Balancer::Impl::on_declined(BackendState& state, TimePoint now, Aftermath& after) {
  if (state.is_removed || !state.reluctance.on_declined(now)) return;
  settle(state, state.state(), now, after);
  after_changes(now, after);
}

void Balancer::Impl::set_draining(BackendState& state, bool draining, TimePoint now,
                                  Aftermath& after) {
  clock = now;
  const BackendStateName from = state.state();
  if (!state.health.set_draining(draining, now)) return;
  settle(state, from, now, after);
  after_changes(now, after);
}

void Balancer::Impl::refresh(BackendState& state) {
  const bool is_usable = state.is_usable();
  count(is_usable, &state.counted.usable, &usable);
  count(state.is_fit(), &state.counted.fit, &fit);
  count(state.is_fit() && !state.is_reluctant(), &state.counted.eager, &eager);
  count(is_usable && state.ejection.is_out(), &state.counted.ejected, &ejected);
  count(is_usable && state.is_stuck, &state.counted.stuck, &stuck);
  reindex(state);
}

void Balancer::Impl::reindex(BackendState& state) {
  if (!may_be_chosen(state)) {
    if (state.links.is_in) policy.remove(state);
  } else if (state.links.is_in) {
    policy.moved(state);
  } else {
    policy.insert(state);
  }
}

bool Balancer::Impl::may_be_chosen(const BackendState& state) const {
  if (state.counted.eager) return !state.is_full();
  if (!state.counted.fit) return state.may_be_chosen(fit > 0);
  return !state.is_full() && (eager == 0 || state.reluctance.is_asked_next());
}

// What is out of service anyway needs no ejection; what comes back, whatever had kept it away,
// comes slowly.
void Balancer::Impl::settle(BackendState& state, BackendStateName from, TimePoint now,
                            Aftermath& after) {
  if (!state.is_usable()) {
    if (state.counted.usable) ++state.epoch;
    state.pardon(now);
    state.reluctance.forget();
    state.end_slow_start();
  }
  const bool goes = state.health.is_lost() || state.ejection.is_out() || state.is_stuck;
  if (goes) state.owes_slow_start = true;
  if (goes) state.end_slow_start();
  if (state.is_fit() && state.owes_slow_start) {
    state.owes_slow_start = false;
    if (options.health.slow_start > Duration::zero()) state.begin_slow_start(now);
  }
  refresh(state);
  if (state.state() != from) note_change(state, from, after);
}

void Balancer::Impl::after_changes(TimePoint now, Aftermath& after) {
  release_ejected(now, after);
  // Those that are stuck or reluctant are free or not as there are others or not.
  if (stuck > 0 || eager < fit) {
    for (const std::shared_ptr<BackendState>& state : table.states()) {
      if (state->counted.stuck || !state->counted.eager) refresh(*state);
    }
  }
  if (usable > 0) {
    none_since = {};
  } else if (none_since == TimePoint{}) {
    none_since = now;
  }
  serve_line(after, Ask::all);
  refuse_the_hopeless(after);
}

void Balancer::Impl::note_change(const BackendState& state, BackendStateName from,
                                 Aftermath& after) {
  if (observer == nullptr) return;
  events.push_back({state.spec().id, from, state.state(), state.reason()});
  after.has_events = true;
}

// In order; whoever excludes all that is free is passed over and keeps its place.
void Balancer::Impl::serve_line(Aftermath& after, Ask whom) {
  const bool asks_all = whom == Ask::all && eager < usable;
  Place* place = room.front();
  while (place != nullptr && (asks_all || !policy.is_empty())) {
    Place* next = WaitingRoom::after(*place);
    const Wish& wish = WaitingRoom::wish_of(*place);
    std::optional<Lease> lease = try_take(wish, after);
    if (!lease && asks_all) lease = try_take_held_back(wish, after);
    if (lease) room.grant(*place, std::move(*lease), after.wakes);
    place = next;
  }
}

void Balancer::Impl::refuse_the_hopeless(Aftermath& after) {
  if (usable > std::tuple_size_v<decltype(Wish::excluded)>) return;  // nobody can exclude so many
  Place* place = room.front();
  while (place != nullptr) {
    Place* next = WaitingRoom::after(*place);
    if (!may_wait(WaitingRoom::wish_of(*place))) room.refuse(*place, refusal(), after.wakes);
    place = next;
  }
}

// For a backend that is full now, or, where that is wanted, for one that may become usable.
bool Balancer::Impl::may_wait(const Wish& wish) const {
  if (has_usable(wish)) return true;
  if (!options.waits_for_backends) return false;
  if (pending > 0) return true;
  return std::ranges::any_of(table.states(), [&wish](const auto& state) {
    return state->health.may_become_usable() && !is_excluded(wish, *state);
  });
}

bool Balancer::Impl::has_usable(const Wish& wish) const {
  if (usable > wish.excluded.size()) return true;
  if (usable == 0) return false;
  return std::ranges::any_of(table.states(), [&wish](const auto& state) {
    return state->counted.usable && !is_excluded(wish, *state);
  });
}

bool Balancer::Impl::has_fit(const Wish& wish) const {
  if (fit > wish.excluded.size()) return true;
  return std::ranges::any_of(table.states(), [&wish](const auto& state) {
    return state->counted.fit && !is_excluded(wish, *state);
  });
}

ErrorKind Balancer::Impl::refusal() const {
  const bool is_loading = pending > 0 || std::ranges::any_of(table.states(), [](const auto& state) {
                            const BackendStateName name = state->health.state();
                            return name == BackendStateName::loading ||
                                   name == BackendStateName::starting ||
                                   (name == BackendStateName::untried && !state->counted.usable);
                          });
  return is_loading ? ErrorKind::backends_loading : ErrorKind::no_backend_ready;
}

void Balancer::Impl::finish(Aftermath& after) {
  for (const std::string& trace : after.traces) log_debug(trace);
  after.wakes.call();
  if (!after.has_events) return;
  std::vector<BackendEvent> batch;
  std::unique_lock lock(mutex);
  if (is_delivering) return;
  while (!events.empty()) {
    is_delivering = true;
    batch.swap(events);
    lock.unlock();
    for (const BackendEvent& event : batch) observer->on_backend_event(event);
    batch.clear();
    lock.lock();
  }
  is_delivering = false;
}

}  // namespace weir
