#include "lb/balance/backend_health.h"

#include <system_error>

namespace weir {
namespace {

using enum BackendStateName;

std::string describe(const ProbeResult& result) {
  switch (result.kind) {
    case ProbeResult::Kind::answered:
      return "probe: answered " + std::to_string(result.status);
    case ProbeResult::Kind::refused:
      return "probe: connection refused";
    case ProbeResult::Kind::timed_out:
      return "probe: no answer in time";
    case ProbeResult::Kind::failed:
      break;
  }
  if (result.os_error == 0) return "probe: no valid answer";
  return "probe: " + std::generic_category().message(result.os_error);
}

}  // namespace

bool BackendHealth::on_probe(const ProbeResult& result, bool is_sending, TimePoint now) {
  const bool is_missed =
      result.kind == ProbeResult::Kind::timed_out || result.kind == ProbeResult::Kind::failed;
  if (is_missed && is_sending) {
    if (state_ != ready) reason_ = "sends answers, though its probe is missed";
    return on_good(now);
  }
  // The reason of a state that has lasted is the newest one, but a ready backend needs no new text
  // a second.
  const bool is_good = result.kind == ProbeResult::Kind::answered && result.status < 500;
  if (!is_good || state_ != ready) reason_ = describe(result);
  if (is_good) return on_good(now);
  if (result.kind == ProbeResult::Kind::refused) return on_refused(now);
  const bool is_busy_loading = result.kind == ProbeResult::Kind::answered && result.status == 503;
  if (is_busy_loading && !has_been_ready_) {
    good_in_a_row_ = bad_in_a_row_ = 0;
    return move_to(loading, now);
  }
  return on_bad(now);
}

bool BackendHealth::on_exchange_refused(TimePoint now) {
  reason_ = "request: connection refused";
  return on_refused(now);
}

// A whole answer is proof enough for a backend nobody has probed, and against a suspicion; not
// against a refused port, which may well belong to a backend that is finishing its last streams.
bool BackendHealth::on_exchange_succeeded(TimePoint now) {
  if (state_ != untried && state_ != suspect) return false;
  reason_ = "request: succeeded";
  bad_in_a_row_ = 0;
  has_been_ready_ = true;
  return move_to(ready, now);
}

bool BackendHealth::set_draining(bool draining, TimePoint now) {
  if (draining == is_draining_) return false;
  is_draining_ = draining;
  draining_since_ = now;
  drain_reason_ = draining ? "drained by request, until undrain or a restart" : "";
  return true;
}

bool BackendHealth::is_usable(bool tries_unprobed) const {
  if (is_draining_) return false;
  return state_ == ready || state_ == suspect || (state_ == untried && tries_unprobed);
}

bool BackendHealth::on_good(TimePoint now) {
  bad_in_a_row_ = 0;
  if (state_ == ready) return false;
  if (++good_in_a_row_ < options_.rise) return false;
  has_been_ready_ = true;
  return move_to(ready, now);
}

bool BackendHealth::on_bad(TimePoint now) {
  good_in_a_row_ = 0;
  if (++bad_in_a_row_ >= options_.fall) return move_to(down, now);
  return state_ == ready && move_to(suspect, now);
}

bool BackendHealth::on_refused(TimePoint now) {
  good_in_a_row_ = 0;
  if (has_been_ready_) return move_to(down, now);
  bad_in_a_row_ = 0;
  return move_to(loading, now);
}

bool BackendHealth::move_to(BackendStateName state, TimePoint now) {
  if (state == state_) return false;
  state_ = state;
  since_ = now;
  good_in_a_row_ = 0;
  if (state == ready) bad_in_a_row_ = 0;
  return true;
}

}  // namespace weir
