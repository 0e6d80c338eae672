// Readiness of one descriptor: one libevent event, edge-triggered, added once and removed only at
// close; pausing a direction is the owner's flag, never a system call. Declare it behind the
// UniqueFd it watches, so that it goes first. Loop thread.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "weir/callback.h"

#include "lb/net/event_loop.h"

namespace weir {

// What happened, as a set of bits. `hangup` = the other side sent FIN: then read until the end,
// because bytes and FIN that came together give no second edge. A reset is not told apart: libevent
// reports it as readable and writable alone, so whoever is not reading has to ask the socket
// (Stream::pending_error).
struct Readiness {
  bool readable : 1;
  bool writable : 1;
  bool hangup : 1;
};

class IoEvent {
 public:
  IoEvent() = default;
  IoEvent(const IoEvent&) = delete;
  IoEvent& operator=(const IoEvent&) = delete;
  ~IoEvent() { remove(); }

  // Both directions and hangup; the callback runs on every edge. False if the kernel refuses
  // (ENOMEM, ENOSPC).
  [[nodiscard]] bool add(EventLoop& loop, int fd, Callback<Readiness> on_ready);
  // Readable only and level-triggered: for listening sockets and signal-like descriptors.
  [[nodiscard]] bool add_level_readable(EventLoop& loop, int fd, Callback<Readiness> on_ready);
  void remove() noexcept;  // also takes back a callback that is already queued
  bool is_added() const { return is_added_; }

 private:
  static void thunk(evutil_socket_t, short what, void* self);
  bool add_with(EventLoop& loop, int fd, short flags, Callback<Readiness> on_ready);

  event event_{};
  Callback<Readiness> on_ready_;
  EventLoop* loop_ = nullptr;
  bool is_added_ = false;
};

}  // namespace weir
