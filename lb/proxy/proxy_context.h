// What one worker's connections and exchanges share. Owned by the worker, outlives them all. Loop
// thread only.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "weir/observer.h"

#include "lb/backend/connection_pool.h"
#include "lb/balance/balancer.h"
#include "lb/http/head_parser.h"
#include "lb/net/byte_queue.h"
#include "lb/net/event_loop.h"
#include "lb/proxy/pending_request.h"
#include "lb/proxy/proxy_options.h"
#include "lb/proxy/request_ids.h"
#include "lb/proxy/spares.h"

namespace weir {

class Exchange;

// Lets clients in without the key: asked once a connection, with its descriptor.
class ClientGate {
 public:
  virtual bool may_pass(int fd) = 0;

 protected:
  ~ClientGate() = default;
};

struct ProxyContext {
  static constexpr size_t kScratch = 64 * 1024;

  // The last two, shared by all workers: what may be held of request bodies, and of bytes that
  // clients do not take.
  ProxyContext(EventLoop& the_loop, Balancer& the_balancer, ConnectionPool& the_pool,
               PlaceWaker& the_waker, ExchangeObserver& the_observer,
               const ProxyOptions& the_options, BlockBudget& replay, BlockBudget& output);
  ~ProxyContext();

  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

  static constexpr Duration kSweepEvery = std::chrono::milliseconds(100);

  // An exchange begins; returns its place in `active`. While there is any, each is swept every
  // kSweepEvery: Exchange::check_silence.
  size_t enter(Exchange& exchange);
  // It is over. The one that has its place in `active` now, or nullptr.
  Exchange* leave(size_t place);

  // What this worker carries, for those who choose where a new client goes. Any thread.
  uint32_t load() const noexcept {
    return clients.load(std::memory_order_relaxed) + exchanges.load(std::memory_order_relaxed);
  }

  EventLoop& loop;
  Balancer& balancer;
  ConnectionPool& pool;
  PlaceWaker& waker;
  ExchangeObserver& observer;
  const ProxyOptions& options;
  ClientGate* gate = nullptr;          // nullptr: nobody passes without the key, if one is required
  Callback<BackendSerial> on_trouble;  // a backend failed an exchange: probe it now
  Callback<Duration> on_lag;           // how late a sweep came: so late is everything in this loop
  BlockPool output_blocks;             // what clients would not take yet
  BlockPool replay_blocks;             // request bodies
  http::HeadParser request_parser;
  http::HeadParser response_parser;
  RequestIds ids;
  Spares<PendingRequest> pending;
  std::string out;                // heads are built here before they are written
  std::vector<Exchange*> active;  // begun and not done
  bool is_draining = false;
  size_t held_bytes = 0;               // announced by the plain answers that are being held
  std::array<char, kScratch> scratch;  // every read goes here
  std::atomic<uint32_t> clients{0};    // written by its own thread, and by who hands one over
  std::atomic<uint32_t> exchanges{0};  // active.size(), for other threads

 private:
  void on_sweep();

  Timer sweep_;
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace weir
