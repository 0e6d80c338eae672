#include "lb/balance/reluctance.h"

namespace weir {
namespace {

constexpr Duration kShortest = std::chrono::milliseconds(250);
constexpr uint8_t kMostLevel = 3;                          // 2 s
constexpr Duration kForgotten = std::chrono::seconds(10);  // without declining

}  // namespace

// Many may be on their way when the first is declined: they are the same news.
bool Reluctance::on_declined(TimePoint now) {
  if (phase_ == Phase::resting || is_asked_next()) return false;
  if (now - declined_ > kForgotten) level_ = 0;
  declined_ = now;
  due_ = now + kShortest * (1 << level_);
  if (level_ < kMostLevel) ++level_;
  phase_ = Phase::resting;
  is_question_out_ = false;
  return true;
}

bool Reluctance::watch(TimePoint now) {
  const bool is_over = phase_ == Phase::resting || is_question_out_;
  if (!is_over || now < due_) return false;
  phase_ = phase_ == Phase::resting ? Phase::asked : Phase::willing;
  is_question_out_ = false;
  return true;
}

}  // namespace weir
