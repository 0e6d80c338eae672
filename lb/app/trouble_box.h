// Backends that failed an exchange, told by any worker: the prober is asked to look at them at
// once. Owned by BalancerService.
#pragma once

#include <array>
#include <mutex>

#include "lb/backend/prober.h"
#include "lb/net/event_loop.h"

namespace weir {

class TroubleBox {
 public:
  TroubleBox(EventLoop& loop, Prober& prober)
      : prober_(prober), task_(loop, bind<&TroubleBox::hand_on>(this)) {}

  // Any thread. Beyond kMost in one turn of the loop a backend waits for its next probe.
  void put(BackendSerial serial);

 private:
  static constexpr size_t kMost = 64;
  void hand_on();

  Prober& prober_;
  std::mutex mutex_;
  std::array<BackendSerial, kMost> serials_{};  // guarded by mutex_, as the next
  size_t count_ = 0;
  Task task_;
};

}  // namespace weir
