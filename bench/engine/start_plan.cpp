#include "bench/engine/start_plan.h"

#include <algorithm>
#include <functional>

#include "weir/assert.h"

namespace weir {
namespace {

constexpr uint64_t kStreamOfPauses = 2;
constexpr int64_t kRestAfterFailure_ns = 100'000'000;
constexpr uint32_t kNoBound = ~uint32_t{0};

int64_t to_ns(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

uint32_t session_bound(const LoadOptions& load, const WorkOptions& work) {
  uint64_t bound = kNoBound;
  if (load.requests > 0) bound = (uint64_t{load.requests} + work.turns - 1) / work.turns;
  if (load.kind == LoadRecord::Kind::trace) bound = std::min<uint64_t>(bound, work.trace.size());
  return static_cast<uint32_t>(bound);
}

}  // namespace

StartPlan::StartPlan(const LoadOptions& load, const WorkOptions& work, uint32_t worker)
    : load_(load),
      work_(work),
      arrivals_(load.arrivals, load.seed),
      dice_(load.seed, kStreamOfPauses + (uint64_t{worker} << 8)),
      next_session_(worker),
      sessions_(session_bound(load, work)),
      has_places_(load.kind == LoadRecord::Kind::closed || load.kind == LoadRecord::Kind::users) {
  if (!has_places_) {
    fetch();
    return;
  }
  // The places are dealt round, too; users do not all come at once.
  places_ = load.concurrency / load.workers + (worker < load.concurrency % load.workers ? 1 : 0);
  for (uint32_t i = 0; i < places_; ++i) {
    const bool thinks = load.kind == LoadRecord::Kind::users;
    free_places_.push_back(thinks ? to_ns(load.think_s * dice_.uniform()) : 0);
  }
  std::ranges::make_heap(free_places_, std::greater<>());
}

std::optional<int64_t> StartPlan::scheduled(uint32_t session) {
  if (load_.kind == LoadRecord::Kind::trace) {
    return to_ns(static_cast<double>(work_.trace[session].at_ns) / 1e9 / load_.speed);
  }
  std::optional<int64_t> at;
  for (; drawn_ <= session; ++drawn_) at = arrivals_.next();
  return at;
}

void StartPlan::fetch() {
  next_.reset();
  if (next_session_ < sessions_) next_ = scheduled(next_session_);
  if (next_ && load_.duration_s > 0 && *next_ >= to_ns(load_.duration_s)) next_.reset();
  is_schedule_over_ = !next_;
}

std::optional<int64_t> StartPlan::next_start() {
  if (is_stopped_) return std::nullopt;
  if (!has_places_) return next_;
  if (free_places_.empty() || next_session_ >= sessions_) return std::nullopt;
  const int64_t at = free_places_.front();
  if (load_.duration_s > 0 && at >= to_ns(load_.duration_s)) return std::nullopt;
  return at;
}

StartPlan::Start StartPlan::take() {
  const std::optional<int64_t> at = next_start();
  WEIR_ASSERT(at);
  const Start start{next_session_, *at};
  next_session_ += load_.workers;
  if (!has_places_) {
    fetch();
  } else {
    std::ranges::pop_heap(free_places_, std::greater<>());
    free_places_.pop_back();
  }
  return start;
}

void StartPlan::session_ended(int64_t now_ns, bool failed) {
  if (!has_places_) return;
  const bool thinks = load_.kind == LoadRecord::Kind::users;
  const int64_t rest = failed ? kRestAfterFailure_ns : 0;
  free_places_.push_back(now_ns + std::max(rest, thinks ? think_ns() : 0));
  std::ranges::push_heap(free_places_, std::greater<>());
}

int64_t StartPlan::think_ns() {
  return load_.think_s > 0 ? to_ns(load_.think_s * dice_.exponential()) : 0;
}

bool StartPlan::is_over() {
  if (is_stopped_) return true;
  if (!has_places_) return is_schedule_over_;
  if (next_session_ >= sessions_) return true;
  return free_places_.size() == places_ && !next_start();
}

}  // namespace weir
