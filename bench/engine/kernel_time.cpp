#include "bench/engine/kernel_time.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <limits>

namespace weir {
namespace {

int64_t to_ns(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return to_ns(time);
}

}  // namespace

bool ask_for_stamps(int fd) noexcept {
  const int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  return ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0;
}

Received receive(int fd, char* buffer, size_t capacity) noexcept {
  alignas(cmsghdr) char control[256];
  iovec piece{buffer, capacity};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Received received;
  received.bytes = ::recvmsg(fd, &message, 0);
  if (received.bytes <= 0) return received;
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPING) continue;
    scm_timestamping stamps{};
    ::memcpy(&stamps, CMSG_DATA(one), sizeof stamps);
    received.stamp_ns = to_ns(stamps.ts[0]);
  }
  return received;
}

UniqueFd keep_stamps_on() noexcept {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd && !ask_for_stamps(fd.get())) fd.reset();
  return fd;
}

// The tightest of three pairs of readings.
void KernelClock::synchronise() noexcept {
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 3; ++i) {
    const int64_t before = read_clock(CLOCK_MONOTONIC);
    const int64_t wall = read_clock(CLOCK_REALTIME);
    const int64_t after = read_clock(CLOCK_MONOTONIC);
    if (after - before >= best) continue;
    best = after - before;
    offset_ns_ = wall - (before + after) / 2;
  }
}

}  // namespace weir
