// When bytes arrived by the kernel's own stamp, so that a late tester does not make the pool look
// slow: SO_TIMESTAMPING on a TCP socket gives the arrival of the last byte of what one recvmsg
// returned, in wall-clock time; KernelClock turns it into steady time. Where the system stamps
// nothing, the time of the read stands in. One KernelClock a worker thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "lb/net/socket.h"

namespace weir {

struct Received {
  ssize_t bytes = 0;     // as recv: 0 = FIN, -1 = errno
  int64_t stamp_ns = 0;  // wall clock; 0 = none came
};

// False if the system has no such stamps.
bool ask_for_stamps(int fd) noexcept;
Received receive(int fd, char* buffer, size_t capacity) noexcept;

// The kernel stamps only while somebody asks, and begins a moment after the first one did: an open
// socket that asks, for as long as it lives.
UniqueFd keep_stamps_on() noexcept;

class KernelClock {
 public:
  KernelClock() { synchronise(); }

  // Now and then (the wall clock is slewed, or set).
  void synchronise() noexcept;
  // Wall-clock ns as ns of steady_clock.
  int64_t to_steady(int64_t wall_ns) const { return wall_ns - offset_ns_; }

 private:
  int64_t offset_ns_ = 0;
};

}  // namespace weir
