// Changes of backends' states, told by whichever worker saw them, handed on in order and on the
// main loop: to the operational log, the metrics, and the hooks of whoever runs the service. Owned
// by BalancerService.
#pragma once

#include <mutex>
#include <vector>

#include "weir/observer.h"

#include "lb/net/event_loop.h"

namespace weir {

class Observers final : public BackendObserver {
 public:
  explicit Observers(EventLoop& loop) : task_(loop, bind<&Observers::hand_on>(this)) {}

  void add(BackendObserver* observer);  // heard of on the loop; nullptr is nobody
  // Changes of backends at debug only: somebody else shows them (launch's live lines).
  void log_quietly() { is_quiet_ = true; }

  void on_backend_event(const BackendEvent& event) noexcept override;  // any thread

 private:
  void hand_on();
  void log_event(const BackendEvent& event) const;

  std::vector<BackendObserver*> observers_;
  bool is_quiet_ = false;
  std::mutex mutex_;
  std::vector<BackendEvent> waiting_;  // guarded by mutex_
  Task task_;
};

}  // namespace weir
