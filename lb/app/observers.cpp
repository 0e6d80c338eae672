#include "lb/app/observers.h"

#include <fmt/core.h>

#include "weir/log.h"

namespace weir {

void Observers::add(BackendObserver* observer) {
  if (observer != nullptr) observers_.push_back(observer);
}

void Observers::on_backend_event(const BackendEvent& event) noexcept {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(event);
  }
  task_.post();
}

void Observers::hand_on() {
  std::vector<BackendEvent> events;
  {
    const std::lock_guard lock(mutex_);
    events.swap(waiting_);
  }
  for (const BackendEvent& event : events) {
    log_event(event);
    for (BackendObserver* observer : observers_) observer->on_backend_event(event);
  }
}

void Observers::log_event(const BackendEvent& event) const {
  const bool is_bad = event.to == BackendStateName::down || event.to == BackendStateName::ejected ||
                      event.to == BackendStateName::failed;
  const LogLevel loud = is_bad ? LogLevel::warning : LogLevel::info;
  const LogLevel level = is_quiet_ ? LogLevel::debug : loud;
  if (!is_logged(level)) return;
  log(level, fmt::format("backend {}: {} -> {} ({})", event.backend, to_string(event.from),
                         to_string(event.to), event.reason));
}

}  // namespace weir
