#include "lb/net/blocking_request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// False when `until` came first.
bool wait_for(int fd, short events, TimePoint until) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{fd, events, 0};
    const int count = ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

Result<UniqueFd, Problem> connect_to(std::span<const SocketAddress> where, TimePoint until) {
  int error = ECONNREFUSED;
  for (const SocketAddress& one : where) {
    Result<UniqueFd> fd = begin_connect(one);
    if (!fd) {
      error = fd.error().os_error;
      continue;
    }
    if (!wait_for(fd->get(), POLLOUT, until)) return Problem{"no connection in time", ""};
    error = connect_result(fd->get());
    if (error == 0) return std::move(*fd);
  }
  return Problem{::strerror(error), ""};
}

bool send_all(int fd, std::string_view bytes, TimePoint until) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (count < 0 && errno == EAGAIN && !wait_for(fd, POLLOUT, until)) return false;
  }
  return true;
}

BlockingReply read_all(int fd, size_t most, TimePoint until, IsEnough is_enough) {
  BlockingReply reply;
  std::array<char, 16384> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (reply.bytes.size() <= most) {
    const ssize_t count = ::recv(fd, piece.data(), piece.size(), 0);
    reply.has_ended = count == 0;
    if (reply.has_ended) break;
    if (count > 0) reply.bytes.append(piece.data(), static_cast<size_t>(count));
    if (count > 0 && is_enough != nullptr && is_enough(reply.bytes)) break;
    if (count < 0 && errno != EAGAIN && errno != EINTR) break;
    if (count < 0 && errno == EAGAIN && !wait_for(fd, POLLIN, until)) break;
  }
  return reply;
}

}  // namespace

Result<BlockingReply, Problem> blocking_request(std::span<const SocketAddress> where,
                                                std::string_view request, size_t most,
                                                TimePoint until, IsEnough is_enough) {
  Result<UniqueFd, Problem> fd = connect_to(where, until);
  if (!fd) return fd.error();
  if (!send_all(fd->get(), request, until)) return Problem{"it does not read the request", ""};
  return read_all(fd->get(), most, until, is_enough);
}

}  // namespace weir
