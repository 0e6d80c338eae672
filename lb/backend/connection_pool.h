// One worker's connections to its backends: idle ones, last in first out, kept for less time than
// uvicorn keeps them (5 s), and the making of new ones. Owned by its worker. Loop thread only.
#pragma once

#include <memory>
#include <vector>

#include "lb/backend/backend_connection.h"
#include "lb/balance/balancer.h"

namespace weir {

struct ConnectionPoolOptions {
  Duration idle_timeout = std::chrono::seconds(4);  // uvicorn closes after 5.00 s (vLLM, measured)
  Duration connect_timeout = std::chrono::seconds(2);
  size_t idle_per_backend = 1024;
};

class ConnectionPool {
 public:
  ConnectionPool(EventLoop& loop, BlockPool& blocks, const ConnectionPoolOptions& options);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  // Where the backend of this serial is; closes what belonged to an earlier backend in the same
  // slot. No addresses: its name does not resolve, connecting fails.
  void assign(uint32_t slot, BackendSerial serial, SocketAddresses addresses);

  // An idle connection if there is one and `may_reuse`, else a new one that is connecting. The user
  // hears of it later in either case; a reused one has state() busy already.
  std::unique_ptr<BackendConnection> get(uint32_t slot, BackendSerial serial, bool may_reuse,
                                         BackendConnectionUser& user);
  // Back from an exchange that ended well, or closes it if the pool has no use for it.
  void give_back(std::unique_ptr<BackendConnection> connection);
  // Closes it now, destroys it at the end of the turn.
  void discard(std::unique_ptr<BackendConnection> connection);

  size_t idle() const { return idle_; }
  void close_idle();

 private:
  struct Slot {
    BackendSerial serial = 0;
    SocketAddresses addresses;
    std::vector<std::unique_ptr<BackendConnection>> idle;  // oldest first
  };
  Slot& slot_of(uint32_t slot, BackendSerial serial);
  void clear(Slot& slot);
  void on_idle_event(BackendConnection* connection);
  void on_sweep();

  EventLoop& loop_;
  BlockPool& blocks_;
  ConnectionPoolOptions options_;
  std::vector<Slot> slots_;
  size_t idle_ = 0;
  Timer sweep_;
};

}  // namespace weir
