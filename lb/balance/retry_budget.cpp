#include "lb/balance/retry_budget.h"

#include <chrono>

namespace weir {
namespace {

constexpr Duration kWindow = std::chrono::minutes(1);
constexpr double kOne = 1 - 1e-6;  // five times 0.2 is a little less than 1

}  // namespace

bool RetryBudget::take(TimePoint now) {
  refill(now);
  if (tokens_ < kOne) return false;
  tokens_ -= 1;
  return true;
}

void RetryBudget::watch(TimePoint now, uint32_t most) {
  refill(now);
  if (now - window_began_ >= kWindow) {
    window_began_ = now;
    previous_peak_ = peak_;
    peak_ = 0;
  }
  raise(std::max(peak_, most));
}

// More in hand is more to lose: what the reserve grows by is there at once.
void RetryBudget::raise(uint32_t outstanding) {
  peak_ = outstanding;
  const double reserve = std::max({kLeast, double(peak_), double(previous_peak_)});
  tokens_ = std::min(tokens_ + std::max(reserve - reserve_, 0.0), reserve);
  reserve_ = reserve;
}

// An empty reserve is full again after kWindow.
void RetryBudget::refill(TimePoint now) {
  if (refilled_ != TimePoint{} && now > refilled_) {
    const double windows = std::chrono::duration<double>(now - refilled_) / kWindow;
    tokens_ = std::min(tokens_ + reserve_ * windows, reserve_);
  }
  refilled_ = std::max(refilled_, now);
}

}  // namespace weir
