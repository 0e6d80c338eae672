// The admin side: a small HTTP server of its own on a unix socket or TCP address, apart from the
// data path so that it answers when every pool is full. One request a connection, heads only,
// strict. Owned by the service. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lb/admin/admin_access.h"
#include "lb/admin/admin_actions.h"
#include "lb/admin/live_view.h"
#include "lb/admin/metrics_source.h"
#include "lb/net/byte_queue.h"
#include "lb/net/event_loop.h"
#include "lb/net/io_event.h"
#include "lb/net/socket.h"

namespace weir {

class AdminConnection;

class AdminListener {
 public:
  static constexpr size_t kMostConnections = 64;

  // Both outlive the listener.
  AdminListener(EventLoop& loop, const LiveView& view, const MetricsSource& metrics);
  AdminListener(const AdminListener&) = delete;
  AdminListener& operator=(const AdminListener&) = delete;
  ~AdminListener();

  // From now on a POST may change something; over TCP it needs `token` (empty = refused there).
  void allow_actions(AdminActions& actions, std::string token);

  // A unix socket is made with mode 0600 and removed by stop(). Port 0 takes a free one.
  Result<Ok, Problem> start(const Address& address);
  void stop();

  const Address& address() const { return address_; }  // with the port that was bound
  const LiveView& view() const { return view_; }
  AdminActions* actions() const { return actions_; }  // nullptr = none are allowed
  AdminGate gate() const { return {address_.is_unix, address_.host, token_}; }
  const MetricsSource& metrics() const { return metrics_; }

  void on_closed(AdminConnection& connection);  // by the connection, as its last call

 private:
  void on_acceptable(Readiness readiness);
  void on_pause_over();

  EventLoop& loop_;
  const LiveView& view_;
  const MetricsSource& metrics_;
  AdminActions* actions_ = nullptr;
  std::string token_;
  Address address_;
  BlockPool blocks_;
  UniqueFd fd_;
  IoEvent event_;
  Timer pause_;  // after EMFILE: no spinning
  std::vector<std::unique_ptr<AdminConnection>> connections_;
};

}  // namespace weir
