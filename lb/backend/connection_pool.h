// One worker's connections to its backends: idle ones, last in first out, kept for less time than
// uvicorn keeps them (5 s), and the making of new ones. Owned by its worker. Loop thread only.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "lb/backend/address_book.h"
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
  ConnectionPool(EventLoop& loop, BlockPool& blocks, const AddressBook& addresses,
                 const ConnectionPoolOptions& options);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  // An idle connection to the leased backend if there is one and `may_reuse`, else a new one that
  // is connecting (and fails if its name does not resolve). The user hears of it later in either
  // case; a reused one has state() busy already.
  std::unique_ptr<BackendConnection> get(const Lease& lease, bool may_reuse,
                                         BackendConnectionUser& user);
  // Back from an exchange that ended well, or closes it if the pool has no use for it.
  void give_back(std::unique_ptr<BackendConnection> connection);
  // Closes it now, destroys it at the end of the turn.
  void discard(std::unique_ptr<BackendConnection> connection);

  size_t idle() const { return idle_.load(std::memory_order_relaxed); }  // any thread
  void close_idle();

 private:
  struct Slot {
    BackendSerial serial = 0;
    SocketAddresses addresses;  // as the book of this generation has them
    uint64_t generation = 0;
    std::vector<std::unique_ptr<BackendConnection>> idle;  // oldest first
  };
  Slot& slot_of(const Lease& lease);
  void clear(Slot& slot);
  void on_idle_event(BackendConnection* connection);
  void on_sweep();
  void count_idle(size_t now) { idle_.store(now, std::memory_order_relaxed); }

  EventLoop& loop_;
  BlockPool& blocks_;
  const AddressBook& book_;
  ConnectionPoolOptions options_;
  std::vector<Slot> slots_;
  std::atomic<size_t> idle_{0};
  Timer sweep_;
};

}  // namespace weir
