#include "lb/proxy/deadlines.h"

#include <algorithm>

namespace weir {

void Deadlines::set_after(Limit limit, Duration after) {
  due_[index(limit)] = after > Duration::zero() ? queue_.now() + after : kNever;
  arm();
}

void Deadlines::clear_all() {
  due_.fill(kNever);
}

void Deadlines::arm() {
  const TimePoint first = std::min({due_[0], due_[1], due_[2]});
  if (first != kNever && (!timer_.is_armed() || first < timer_.due())) timer_.start_at(first);
}

// One at a time: it may be the end of the exchange.
void Deadlines::on_timer() {
  const auto first = std::ranges::min_element(due_);
  const bool is_over = *first <= queue_.now();
  if (is_over) *first = kNever;
  arm();
  if (is_over) on_over_(static_cast<Limit>(first - due_.begin()));
}

}  // namespace weir
