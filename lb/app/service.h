// The balancer without the process around it: one pool and the workers that carry its traffic, its
// prober, admin side and observers. `serve` and `launch` both run this. Owned by whoever owns the
// main loop. Main loop's thread only.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "weir/discovery.h"
#include "weir/observer.h"

#include "lb/admin/admin_listener.h"
#include "lb/admin/live_view.h"
#include "lb/app/backend_directory.h"
#include "lb/app/observers.h"
#include "lb/app/telemetry.h"
#include "lb/app/trouble_box.h"
#include "lb/app/worker.h"
#include "lb/backend/address_book.h"
#include "lb/backend/prober.h"
#include "lb/balance/balancer.h"
#include "lb/config/config.h"
#include "lb/net/event_loop.h"

namespace weir {

// The replicas that its user keeps alive, for `status`.
class ReplicaViews {
 public:
  virtual std::vector<ReplicaView> replica_views() const = 0;

 protected:
  ~ReplicaViews() = default;
};

// What its user may add; everything in it must outlive the service.
struct ServiceHooks {
  ExchangeObserver* exchanges = nullptr;   // hears every exchange, on any worker's thread
  BackendObserver* backends = nullptr;     // hears every change of a backend's state
  ClientGate* gate = nullptr;              // lets clients in without `required_key`; any thread
  std::string required_key;                // empty = anybody may send requests
  const ReplicaViews* replicas = nullptr;  // what `status` shows of them
};

class BalancerService final : public LiveView, public AdminActions, private BackendObserver {
 public:
  BalancerService(EventLoop& loop, const Config& config, const ServiceHooks& hooks);
  BalancerService(const BalancerService&) = delete;
  BalancerService& operator=(const BalancerService&) = delete;
  ~BalancerService();

  // Binds the listeners and the admin side and begins to probe the backends of the config.
  Result<Ok, Problem> start();

  BackendSetSink& sink() { return directory_; }  // for discoveries
  // With the ports that were bound.
  const std::vector<Address>& listening() const { return listening_; }
  std::string admin_address() const;  // for people; empty = none

  // No new clients; `done` runs in a later turn, when the last exchange is over. stop() before that
  // cuts what is left.
  void drain(Callback<> done);
  void stop();

  // After log rotation. False: the access log is no file.
  Result<bool, Problem> reopen_access_log() { return telemetry_.reopen(); }

  size_t exchanges_in_flight() const;
  Balancer& balancer() { return balancer_; }
  InstanceView look() const override;
  bool set_draining(std::string_view backend, bool draining) override;

 private:
  Result<Ok, Problem> make_workers();
  Result<Ok, Problem> listen(const ListenerConfig& config);
  Result<Ok, Problem> start_admin();
  void order(Worker::Phase phase);
  bool are_idle() const;
  void await_names();
  void on_backend_event(const BackendEvent& event) noexcept override;
  void on_line_begun();
  void on_tick();
  void tick_soon();

  EventLoop& loop_;
  const Config& config_;
  const ReplicaViews* replicas_;
  const ProxyOptions options_;
  Observers observers_;
  Telemetry telemetry_;
  Balancer balancer_;
  AddressBook addresses_;
  Prober prober_;
  TroubleBox troubles_;
  BackendDirectory directory_;
  std::vector<std::unique_ptr<Discovery>> discoveries_;
  WorkerShare share_;
  std::vector<std::unique_ptr<Worker>> workers_;  // the first one on the main loop
  std::vector<Address> listening_;
  AdminListener admin_;
  bool has_admin_ = false;
  bool is_draining_ = false;
  bool awaits_names_ = false;
  TimePoint started_;
  Timer tick_;
  // The next tick is far: whoever has something to wait for must say so.
  std::atomic<bool> is_resting_{false};
  Task waken_;
  Callback<> on_drained_;
};

}  // namespace weir
