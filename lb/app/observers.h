// Hands every report to all who listen: metrics, access log, the operational log, and the hooks of
// whoever runs the service. Owned by BalancerService. Loop thread only.
#pragma once

#include "weir/observer.h"

namespace weir {

class Observers final : public ExchangeObserver, public BackendObserver {
 public:
  void add(ExchangeObserver* observer);
  void add(BackendObserver* observer);
  // Changes of backends at debug only: somebody else shows them (launch's live lines).
  void log_quietly() { is_quiet_ = true; }

  void on_exchange(const ExchangeReport& report) noexcept override;
  void on_backend_event(const BackendEvent& event) noexcept override;

 private:
  static constexpr int kMost = 4;
  ExchangeObserver* exchange_[kMost] = {};
  BackendObserver* backend_[kMost] = {};
  bool is_quiet_ = false;
};

}  // namespace weir
