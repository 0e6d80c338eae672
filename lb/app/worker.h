// One event loop's share of the data path: its connections to clients and backends, buffers and
// exchanges, which no other worker touches. The first worker lives on the main loop, each other one
// has a loop and a thread of its own. Owned by BalancerService; the main loop's thread, but for
// what is marked.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lb/backend/address_book.h"
#include "lb/backend/connection_pool.h"
#include "lb/balance/balancer.h"
#include "lb/net/event_loop.h"
#include "lb/observe/metrics.h"
#include "lb/proxy/listener.h"
#include "lb/proxy/proxy_context.h"

namespace weir {

// What all workers share; outlives them.
struct WorkerShare {
  Balancer& balancer;
  const AddressBook& addresses;
  const ProxyOptions& options;
  ConnectionPoolOptions pool;
  ClientLimit clients;
  ClientGate* gate = nullptr;
  Callback<BackendSerial> on_trouble;  // from any worker's thread
  BlockBudget replay;                  // request bodies that may be sent again
  BlockBudget output;                  // for clients that read slowly
};

class Worker {
 public:
  // How clients are taken. Each follows from the one before it, but for paused and accepting, which
  // alternate.
  enum class Phase : uint8_t { paused, accepting, draining, stopped };

  // `main_loop`: lives there; nullptr: has a loop and, from start() on, a thread of its own.
  Worker(WorkerShare& share, WorkerObserver& observer, EventLoop* main_loop);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();  // stopped and joined

  void listen(std::shared_ptr<ListeningSocket> socket);  // before start()
  void start();
  // In a later turn of its loop; on the main loop at once.
  void set_phase(Phase phase);
  // Its loop has done what set_phase() asked for.
  bool has_followed() const { return followed_.load() == wanted_.load(); }
  void join();  // after stopped

  uint32_t clients() const { return context_.clients.load(std::memory_order_relaxed); }
  size_t idle_backends() const { return pool_.idle(); }  // connections that no exchange has now
  uint32_t exchanges() const { return context_.exchanges.load(std::memory_order_relaxed); }

 private:
  class Waker;
  void follow_phase();
  void enter(Phase phase);
  void on_lag(Duration lag) { observer_.on_loop_lag(lag); }

  WorkerShare& share_;
  WorkerObserver& observer_;
  std::unique_ptr<EventLoop> own_loop_;
  EventLoop& loop_;
  BlockPool blocks_;  // for bytes on their way to backends
  ConnectionPool pool_;
  std::unique_ptr<Waker> waker_;
  ProxyContext context_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::atomic<Phase> wanted_{Phase::paused};
  std::atomic<Phase> followed_{Phase::paused};  // written by its own thread
  Task order_;
  std::thread thread_;
};

// As many as the CPUs this process may run on, kMostByDefault at most.
uint32_t default_worker_count() noexcept;

}  // namespace weir
