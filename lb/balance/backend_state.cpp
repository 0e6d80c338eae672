#include "lb/balance/backend_state.h"

#include <algorithm>

#include "weir/assert.h"

namespace weir {

BackendState::BackendState(BackendSpec spec, BackendSerial serial_, uint32_t slot_,
                           const BalancerOptions& options, TimePoint now)
    : serial(serial_),
      slot(slot_),
      health(options.health, now),
      ejection(options.health, options.seed + serial_),
      pool_cap_(options.max_outstanding),
      tries_unprobed_(options.tries_unprobed) {
  specs_.push_back(std::make_unique<const BackendSpec>(std::move(spec)));
  read_spec();
}

void BackendState::set_spec(BackendSpec spec) {
  if (outstanding == 0) specs_.clear();
  specs_.push_back(std::make_unique<const BackendSpec>(std::move(spec)));
  read_spec();
}

void BackendState::forget_old_specs() {
  WEIR_ASSERT(outstanding == 0);
  if (specs_.size() > 1) specs_.erase(specs_.begin(), specs_.end() - 1);
}

void BackendState::read_spec() {
  cap_ = spec().max_outstanding != 0 ? spec().max_outstanding : pool_cap_;
  weight_ = std::max(spec().weight, 1U);
}

bool BackendState::may_be_chosen(bool has_fit) const {
  if (!is_usable() || is_full()) return false;
  if (ejection.is_out()) return is_trial_next();
  return !is_stuck || !has_fit || outstanding == 0;
}

BackendStateName BackendState::state() const {
  if (!is_usable()) return health.state();
  if (ejection.is_out()) return BackendStateName::ejected;
  return is_stuck ? BackendStateName::suspect : health.state();
}

const std::string& BackendState::reason() const {
  if (!is_usable()) return health.reason();
  if (ejection.is_out()) return ejection.reason();
  return is_stuck ? stuck_reason : health.reason();
}

TimePoint BackendState::since() const {
  if (!is_usable()) return health.since();
  if (ejection.is_out()) return ejection.since();
  return is_stuck ? stuck_since : health.since();
}

void BackendState::take(TimePoint now) {
  if (is_trial_next()) {
    trial_out = true;
    trial_began = now;
    last_trial_byte_.store(kNever, std::memory_order_relaxed);
  }
  reluctance.on_taken(now);
  if (outstanding++ == 0) holding_since = now;
}

void BackendState::give_back(bool was_trial, uint32_t lease_epoch) {
  WEIR_ASSERT(outstanding > 0);
  if (was_trial && lease_epoch == epoch) trial_out = false;
  if (--outstanding == 0) forget_old_specs();
}

// Those that are under way do not speak for it any more.
void BackendState::eject(ErrorKind kind, TimePoint now) {
  ejection.eject(kind, now);
  ++epoch;
  trial_out = false;
  is_stuck = false;
}

void BackendState::pardon(TimePoint now) {
  ejection.end(now);
  trial_out = false;
  is_stuck = false;
}

void BackendState::begin_slow_start(TimePoint now) {
  slow_since = now;
  share = kLeastShare;
}

void BackendState::end_slow_start() {
  slow_since.reset();
  share = kWholeShare;
}

std::optional<TimePoint> BackendState::refusing_since() const {
  const Ticks since = refusing_since_.load(std::memory_order_relaxed);
  if (since == kNever) return std::nullopt;
  return TimePoint(Duration(since));
}

void BackendState::set_refusing(bool refusing, TimePoint now) {
  if (!refusing) {
    refusing_since_.store(kNever, std::memory_order_relaxed);
  } else if (!refusing_since()) {
    refusing_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

}  // namespace weir
