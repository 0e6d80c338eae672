// What a Balancer does as time goes by: ejections begin, end and are given up; backends that are
// stuck are found; those that come back grow to their whole share. The other half of
// balancer_impl.cpp.
#include <algorithm>

#include "weir/assert.h"

#include "lb/balance/balancer_impl.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

// A backend that is tried and still sends after so long has passed: answers may take minutes.
constexpr Duration kTrialSends = 1s;
constexpr Duration kJustNow = 30s;
constexpr Duration kLook = 100ms;  // while anything moves
constexpr Duration kRest = 1s;     // while nothing does

}  // namespace

// Who holds requests, and who has sent something of late.
struct Balancer::Impl::Pulse {
  size_t holders = 0;
  size_t senders = 0;
};

void Balancer::Impl::watch(TimePoint now, Aftermath& after) {
  clock = now;
  const Pulse pulse = feel_pulse(now);
  bool is_change = false;
  uint32_t most = 0;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    most = std::max(most, state->outstanding);
    if (watch_one(*state, pulse, now, after)) is_change = true;
  }
  budget.watch(now, most);
  estimate.watch(now);
  if (is_change) after_changes(now, after);
}

// Without requests nothing but a slow start and the end of an ejection or a rest happens by itself.
Duration Balancer::Impl::until_next_watch(TimePoint now) const {
  if (outstanding > 0 || !room.is_empty()) return kLook;
  Duration rest = kRest;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (state->slow_since) return kLook;
    if (state->ejection.phase() == Ejection::Phase::out) {
      rest = std::min(rest, state->ejection.due() - now);
    }
    if (state->reluctance.phase() == Reluctance::Phase::resting) {
      rest = std::min(rest, state->reluctance.due() - now);
    }
  }
  return std::max(rest, kLook);
}

bool Balancer::Impl::watch_one(BackendState& state, const Pulse& pulse, TimePoint now,
                               Aftermath& after) {
  const BackendStateName from = state.state();
  const bool is_ejection_moved = watch_ejection(state, now);
  const bool is_stuck_moved = watch_stuck(state, pulse, now);
  const bool is_reluctance_moved = state.reluctance.watch(now);
  watch_slow_start(state, now);
  if (!is_ejection_moved && !is_stuck_moved && !is_reluctance_moved) return false;
  settle(state, from, now, after);
  return true;
}

bool Balancer::Impl::watch_ejection(BackendState& state, TimePoint now) {
  state.ejection.forget(now);
  if (state.ejection.is_trial_due(now)) {
    state.ejection.begin_trial();
    return true;
  }
  if (!state.trial_out || state.last_trial_byte() < state.trial_began + kTrialSends) return false;
  state.pardon(now);
  return true;
}

bool Balancer::Impl::watch_stuck(BackendState& state, const Pulse& pulse, TimePoint now) const {
  if (state.is_stuck) {
    state.is_stuck = state.last_byte() < state.stuck_since;
    return !state.is_stuck;
  }
  if (!seems_stuck(state, pulse, now)) return false;
  const Duration silence = now - std::max(state.last_byte(), state.holding_since);
  state.is_stuck = true;
  state.stuck_since = now;
  state.stuck_reason = "holds " + std::to_string(state.outstanding) +
                       (state.outstanding == 1 ? " request" : " requests") + ", no byte for " +
                       in_words(silence) + " while others send";
  return true;
}

// One that is silent may be busy with a long prompt, or with answers that are not streamed. So at
// least half of the others that hold requests must be sending; at most half of the pool is held
// back in this way; and all that happens is that new requests go elsewhere.
bool Balancer::Impl::seems_stuck(const BackendState& state, const Pulse& pulse,
                                 TimePoint now) const {
  const Duration patience = options.health.stuck_after;
  if (patience == Duration::zero() || !state.counted.fit || state.outstanding == 0) return false;
  if (now - std::max(state.last_byte(), state.holding_since) < patience) return false;
  WEIR_ASSERT(pulse.holders > 0);
  const bool do_others_send = pulse.senders > 0 && 2 * pulse.senders >= pulse.holders - 1;
  return do_others_send && fit > 1 && 2 * (ejected + stuck + 1) <= table.states().size();
}

Balancer::Impl::Pulse Balancer::Impl::feel_pulse(TimePoint now) const {
  Pulse pulse;
  if (options.health.stuck_after == Duration::zero()) return pulse;
  const TimePoint of_late = now - options.health.stuck_after / 4;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (!state->counted.usable || state->is_stuck) continue;
    const bool sends = state->last_byte() >= of_late;
    if (sends) ++pulse.senders;
    if (sends || state->outstanding > 0) ++pulse.holders;
  }
  return pulse;
}

// A tenth at once, and all of it at the end of the window.
void Balancer::Impl::watch_slow_start(BackendState& state, TimePoint now) {
  if (!state.slow_since) return;
  const Duration window = options.health.slow_start;
  const Duration passed = now - *state.slow_since;
  if (passed >= window) {
    state.end_slow_start();
  } else {
    constexpr Duration::rep kGrowth = kWholeShare - kLeastShare;
    const auto grown = static_cast<uint32_t>(kGrowth * (passed.count() / 1000) /
                                             std::max<Duration::rep>(window.count() / 1000, 1));
    if (state.share == kLeastShare + grown) return;
    state.share = std::min(kLeastShare + grown, kWholeShare);
  }
  if (state.links.is_in) policy.moved(state);
}

// Never the last fit one, and at most half of the pool. One that failed its trial was out already.
bool Balancer::Impl::may_eject(const BackendState& state) const {
  if (!state.counted.usable) return false;
  if (state.ejection.is_out()) return true;
  const size_t others = fit - (state.counted.fit ? 1 : 0);
  return others > 0 && 2 * (ejected + 1) <= table.states().size();
}

// The same rules when the pool has shrunk around those that are out: they are better than nothing.
void Balancer::Impl::release_ejected(TimePoint now, Aftermath& after) {
  const bool is_none_fit = fit == 0;
  while (ejected > 0 && (is_none_fit || 2 * ejected > table.states().size())) {
    BackendState* soonest = nullptr;
    for (const std::shared_ptr<BackendState>& state : table.states()) {
      if (!state->counted.ejected) continue;
      if (soonest == nullptr || state->ejection.due() < soonest->ejection.due()) {
        soonest = state.get();
      }
    }
    WEIR_ASSERT(soonest != nullptr);
    const BackendStateName from = soonest->state();
    soonest->pardon(now);
    settle(*soonest, from, now, after);
  }
}

Duration Balancer::Impl::retry_after(ErrorKind kind, TimePoint now) const {
  switch (kind) {
    case ErrorKind::queue_full:
    case ErrorKind::queue_timeout:
      return estimate.for_line(room.size());
    case ErrorKind::backends_loading:
      return std::min<Duration>(estimate.until_loaded(loading_for(now)), 60s);
    case ErrorKind::no_backend_ready:
      return none_since != TimePoint{} && now - none_since > kJustNow ? 10s : 5s;
    default:
      return {};
  }
}

// The one that has been at it for longest will be the first.
Duration Balancer::Impl::loading_for(TimePoint now) const {
  Duration longest{};
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (state->state() == BackendStateName::loading) {
      longest = std::max(longest, now - state->since());
    }
  }
  return longest;
}

}  // namespace weir
