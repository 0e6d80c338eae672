#include "lb/app/observers.h"

#include <fmt/core.h>

#include "weir/assert.h"
#include "weir/log.h"

namespace weir {
namespace {

template <typename T, int N>
void put(T* (&list)[N], T* observer) {
  if (observer == nullptr) return;
  for (T*& entry : list) {
    if (entry != nullptr) continue;
    entry = observer;
    return;
  }
  WEIR_ASSERT(false);
}

}  // namespace

void Observers::add(ExchangeObserver* observer) {
  put(exchange_, observer);
}
void Observers::add(BackendObserver* observer) {
  put(backend_, observer);
}

void Observers::on_exchange(const ExchangeReport& report) noexcept {
  for (ExchangeObserver* observer : exchange_) {
    if (observer != nullptr) observer->on_exchange(report);
  }
}

void Observers::on_backend_event(const BackendEvent& event) noexcept {
  const bool is_bad = event.to == BackendStateName::down || event.to == BackendStateName::failed;
  const LogLevel loud = is_bad ? LogLevel::warning : LogLevel::info;
  const LogLevel level = is_quiet_ ? LogLevel::debug : loud;
  if (is_logged(level)) {
    log(level, fmt::format("backend {}: {} -> {} ({})", event.backend, to_string(event.from),
                           to_string(event.to), event.reason));
  }
  for (BackendObserver* observer : backend_) {
    if (observer != nullptr) observer->on_backend_event(event);
  }
}

}  // namespace weir
