#include "lb/balance/wait_estimate.h"

#include <algorithm>
#include <chrono>

namespace weir {
namespace {

using std::chrono::seconds;
using Seconds = std::chrono::duration<double>;

constexpr Duration kSample = seconds(1);
constexpr Seconds kMemory(20);
constexpr Duration kLeast = seconds(1);
constexpr Duration kMost = seconds(60);

}  // namespace

void WaitEstimate::watch(TimePoint now) {
  if (sampled_ == TimePoint{}) sampled_ = now;
  if (now - sampled_ < kSample) return;
  const Seconds span(now - sampled_);
  const double rate = static_cast<double>(releases_) / span.count();
  const double weight = has_rate_ ? std::min(span / kMemory, 1.0) : 1.0;
  rate_ += (rate - rate_) * weight;
  has_rate_ = has_rate_ || releases_ > 0;
  releases_ = 0;
  sampled_ = now;
}

void WaitEstimate::on_loaded(Duration took) {
  load_time_ = load_time_ == Duration::zero() ? took : (load_time_ + took) / 2;
}

Duration WaitEstimate::for_line(size_t waiting) const {
  if (!has_rate_) return {};
  const double wait = static_cast<double>(waiting + 1) / std::max(rate_, 1e-9);
  if (wait >= Seconds(kMost).count()) return kMost;
  return std::max(std::chrono::duration_cast<Duration>(Seconds(wait)), kLeast);
}

Duration WaitEstimate::until_loaded(Duration loading_for) const {
  if (load_time_ == Duration::zero()) return {};
  return std::max(load_time_ - loading_for, kLeast);
}

}  // namespace weir
