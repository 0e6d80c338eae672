// One connection to one backend: connecting, then carrying one exchange after the other. Owned by
// ConnectionPool when idle, by its Exchange when busy. It moves bytes; what they mean is its
// user's. Never half-closed: to vLLM a FIN means that the client left. Loop thread only.
//
//   connecting ──▶ busy ◀──▶ idle (in the pool)
//        └───────────┴─────────┴──▶ closed
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "weir/error.h"
#include "weir/timer.h"

#include "lb/backend/address_book.h"
#include "lb/balance/balancer.h"
#include "lb/net/stream.h"

namespace weir {

// Hears of a busy (or connecting) connection. After on_backend_failed, or after close(), nothing is
// called any more.
class BackendConnectionUser {
 public:
  virtual void on_backend_connected() = 0;
  virtual void on_backend_readable() = 0;  // read() until would_block, or come back by itself
  virtual void on_backend_writable() = 0;
  virtual void on_backend_failed(const Error& error) = 0;  // connecting failed

 protected:
  ~BackendConnectionUser() = default;
};

class BackendConnection {
 public:
  enum class State : uint8_t { connecting, busy, idle, closed };

  BackendConnection(EventLoop& loop, BlockPool& blocks, BackendSerial serial, uint32_t slot);
  BackendConnection(const BackendConnection&) = delete;
  BackendConnection& operator=(const BackendConnection&) = delete;

  // Tries the addresses in turn; on_backend_connected or on_backend_failed comes in a later turn of
  // the loop.
  void connect(SocketAddresses addresses, Duration timeout, BackendConnectionUser& user);

  // From idle to busy: a reused connection.
  void take(BackendConnectionUser& user);
  // From busy to idle: `on_event` hears of the first event, which means that it is of no use any
  // more.
  void make_idle(Callback<BackendConnection*> on_event, TimePoint now);
  void close() noexcept;

  Stream& stream() { return stream_; }
  State state() const { return state_; }
  bool is_reused() const { return uses_ > 1; }
  BackendSerial serial() const { return serial_; }
  uint32_t slot() const { return slot_; }
  TimePoint idle_since() const { return idle_since_; }

 private:
  void try_next_address();
  void on_ready(Readiness readiness);
  void on_connect_event();
  void on_timeout();
  void on_start_failed();
  void fail(const Error& error);

  EventLoop& loop_;
  Stream stream_;
  State state_ = State::closed;
  uint32_t slot_;
  uint32_t uses_ = 0;
  BackendSerial serial_;
  BackendConnectionUser* user_ = nullptr;
  Callback<BackendConnection*> on_idle_event_;
  TimePoint idle_since_{};
  // While connecting.
  SocketAddresses addresses_;
  size_t next_address_ = 0;
  Error last_error_{};
  Timer timeout_;
  Task start_failed_;
};

}  // namespace weir
