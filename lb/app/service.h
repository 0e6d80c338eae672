// The balancer without the process around it: one pool, its listeners, prober, admin side and
// observers on one loop. `serve` and `launch` both run this. Owned by whoever owns the loop. Loop
// thread only.
#pragma once

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
#include "lb/backend/connection_pool.h"
#include "lb/backend/prober.h"
#include "lb/balance/balancer.h"
#include "lb/config/config.h"
#include "lb/net/event_loop.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/proxy_context.h"

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
  ExchangeObserver* exchanges = nullptr;   // hears every exchange, besides metrics and access log
  BackendObserver* backends = nullptr;     // hears every change of a backend's state
  ClientGate* gate = nullptr;              // lets clients in without `required_key`
  std::string required_key;                // empty = anybody may send requests
  const ReplicaViews* replicas = nullptr;  // what `status` shows of them
};

class BalancerService final : public LiveView {
 public:
  BalancerService(EventLoop& loop, const Config& config, const ServiceHooks& hooks);
  BalancerService(const BalancerService&) = delete;
  BalancerService& operator=(const BalancerService&) = delete;
  ~BalancerService();

  // Binds the listeners and the admin side and begins to probe the backends of the config.
  Result<Ok, Problem> start();

  BackendSetSink& sink() { return directory_; }  // for discoveries
  const std::vector<Address>& listening() const {
    return addresses_;
  }                                   // with the ports that were bound
  std::string admin_address() const;  // for people; empty = none

  // No new clients; `done` runs in a later turn, when the last exchange is over. stop() before that
  // cuts what is left.
  void drain(Callback<> done);
  void stop();

  size_t exchanges_in_flight() const { return context_.active.size(); }
  Balancer& balancer() { return balancer_; }
  InstanceView look() const override;

 private:
  class Waker;
  struct Listening {
    UniqueFd fd;
    std::unique_ptr<Listener> listener;
  };
  Result<Ok, Problem> listen(const ListenerConfig& config);
  void await_names();
  Result<Ok, Problem> start_admin();
  void on_tick();
  void on_trouble(BackendSerial serial);

  EventLoop& loop_;
  const Config& config_;
  const ReplicaViews* replicas_;
  const ProxyOptions options_;
  BlockPool pool_blocks_;
  Observers observers_;
  Telemetry telemetry_;
  Balancer balancer_;
  ConnectionPool pool_;
  Prober prober_;
  BackendDirectory directory_;
  std::unique_ptr<Waker> waker_;
  ProxyContext context_;
  std::vector<std::unique_ptr<Discovery>> discoveries_;
  std::vector<Listening> listening_;
  std::vector<Address> addresses_;
  AdminListener admin_;
  bool has_admin_ = false;
  TimePoint started_;
  bool awaits_names_ = false;
  Timer tick_;
  Callback<> on_drained_;
};

}  // namespace weir
