#include "lb/balance/balancer_impl.h"

#include <algorithm>
#include <array>

#include "weir/assert.h"
#include "weir/log.h"

namespace weir {

Balancer::Impl::Impl(Balancer& owner_, BackendObserver* observer_)
    : owner(owner_), options(owner_.options()), observer(observer_), policy(options) {}

Result<std::optional<Lease>> Balancer::Impl::ask(const Wish& wish, Place& place, PlaceWaker& waker,
                                                 TimePoint now, Aftermath& after) {
  if (std::optional<Lease> lease = try_take(wish, after)) return lease;
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
  if (is_logged(LogLevel::debug)) after.traces.push_back(trace_choice(*state, wish));
  ++state->outstanding;
  ++outstanding;
  refresh(*state);
  return Lease(&owner, state->shared_from_this());
}

void Balancer::Impl::give_back(BackendState& state, Aftermath& after) {
  WEIR_ASSERT(state.outstanding > 0 && outstanding > 0);
  --state.outstanding;
  --outstanding;
  if (state.outstanding == 0) state.forget_old_specs();
  if (state.is_removed) return;
  refresh(state);
  serve_line(after);
}

// The line is in the order of arrival and patience is the same for all, so the front is the first
// to give up.
void Balancer::Impl::expire(TimePoint now, Aftermath& after) {
  while (!room.is_empty() && WaitingRoom::deadline_of(*room.front()) <= now) {
    room.refuse(*room.front(), ErrorKind::queue_timeout, after.wakes);
  }
}

void Balancer::Impl::update(const BackendSet& set, size_t pending_, TimePoint now,
                            Aftermath& after) {
  pending = pending_;
  for (const std::shared_ptr<BackendState>& gone : table.update(set, options, now)) refresh(*gone);
  for (const std::shared_ptr<BackendState>& state : table.states()) refresh(*state);
  serve_line(after);
  refuse_the_hopeless(after);
}

void Balancer::Impl::on_probe(BackendState& state, const ProbeResult& result, TimePoint now,
                              Aftermath& after) {
  const BackendStateName from = state.health.state();
  const bool is_change = state.health.on_probe(result, now);
  if (result.kind == ProbeResult::Kind::answered) state.set_refusing(false, now);
  if (result.kind == ProbeResult::Kind::refused) state.set_refusing(true, now);
  if (!is_change) return;
  note_change(state, from, after);
  refresh(state);
  serve_line(after);
  refuse_the_hopeless(after);
}

void Balancer::Impl::on_success(BackendState& state, TimePoint now, Aftermath& after) {
  ++state.served;
  if (state.is_removed) return;
  const BackendStateName from = state.health.state();
  if (!state.health.on_exchange_succeeded(now)) return;
  note_change(state, from, after);
  refresh(state);
  serve_line(after);
}

void Balancer::Impl::on_failure(BackendState& state, const Error& error, TimePoint now,
                                Aftermath& after) {
  // A reused connection that the backend had closed meanwhile is nobody's fault.
  const bool is_stale = error.on_reused_connection && error.kind == ErrorKind::backend_closed;
  if (traits(error.kind).against_health && !is_stale) ++state.failures;
  if (error.kind != ErrorKind::connect_refused) return;
  state.set_refusing(true, now);
  if (state.is_removed) return;
  const BackendStateName from = state.health.state();
  if (!state.health.on_exchange_refused(now)) return;
  note_change(state, from, after);
  refresh(state);
  refuse_the_hopeless(after);
}

void Balancer::Impl::set_draining(BackendState& state, bool draining, TimePoint now,
                                  Aftermath& after) {
  const BackendStateName from = state.health.state();
  if (!state.health.set_draining(draining, now)) return;
  note_change(state, from, after);
  refresh(state);
  serve_line(after);
  refuse_the_hopeless(after);
}

void Balancer::Impl::refresh(BackendState& state) {
  const bool is_usable = state.is_usable();
  if (is_usable != state.counts_as_usable) {
    state.counts_as_usable = is_usable;
    usable += is_usable ? size_t{1} : ~size_t{0};
  }
  const bool is_free = is_usable && !state.is_full();
  if (!is_free) {
    if (state.links.is_in) policy.remove(state);
  } else if (state.links.is_in) {
    policy.moved(state);
  } else {
    policy.insert(state);
  }
}

void Balancer::Impl::note_change(const BackendState& state, BackendStateName from,
                                 Aftermath& after) {
  if (observer == nullptr) return;
  events.push_back({state.spec().id, from, state.health.state(), state.health.reason()});
  after.has_events = true;
}

// In order; whoever excludes all that is free is passed over and keeps its place.
void Balancer::Impl::serve_line(Aftermath& after) {
  Place* place = room.front();
  while (place != nullptr && !policy.is_empty()) {
    Place* next = WaitingRoom::after(*place);
    if (std::optional<Lease> lease = try_take(WaitingRoom::wish_of(*place), after)) {
      room.grant(*place, std::move(*lease), after.wakes);
    }
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
    return state->counts_as_usable && !is_excluded(wish, *state);
  });
}

ErrorKind Balancer::Impl::refusal() const {
  const bool is_loading = pending > 0 || std::ranges::any_of(table.states(), [](const auto& state) {
                            const BackendStateName name = state->health.state();
                            return name == BackendStateName::loading ||
                                   name == BackendStateName::starting ||
                                   (name == BackendStateName::untried && !state->counts_as_usable);
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
