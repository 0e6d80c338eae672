#include "lb/balance/backend_state.h"

#include <algorithm>

#include "weir/assert.h"

namespace weir {

BackendState::BackendState(BackendSpec spec, BackendSerial serial_, uint32_t slot_,
                           const BalancerOptions& options, TimePoint now)
    : serial(serial_),
      slot(slot_),
      health(options.health, now),
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

std::optional<TimePoint> BackendState::refusing_since() const {
  const TimePoint::rep since = refusing_since_.load(std::memory_order_relaxed);
  if (since == kNotRefusing) return std::nullopt;
  return TimePoint(Duration(since));
}

void BackendState::set_refusing(bool refusing, TimePoint now) {
  if (!refusing) {
    refusing_since_.store(kNotRefusing, std::memory_order_relaxed);
  } else if (!refusing_since()) {
    refusing_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

}  // namespace weir
