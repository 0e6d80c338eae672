// Descriptors and sockets: owning, connecting, listening, options. Non-blocking and close-on-exec,
// always. No events here.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "weir/address.h"
#include "weir/result.h"

namespace weir {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

// A sockaddr of any family, by value.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  uint16_t port() const;     // 0 for unix
  bool is_loopback() const;  // 127.0.0.0/8, ::1, unix
  std::string host() const;  // numeric, without port and brackets; "unix" for unix
  std::string to_string() const;
};

// Numeric hosts and unix paths only: never blocks. An empty host is the wildcard (IPv6 with IPv4
// where there is IPv6).
Result<SocketAddress, Problem> numeric_address(const Address& address);
// Numeric or by name, in the order getaddrinfo gives. Blocks: keep it off the loop once traffic
// flows.
Result<std::vector<SocketAddress>, Problem> resolve(const Address& address);

// Binds and listens. Connections accepted inherit no delay and keep-alive, which costs them no
// system call. A stale unix socket (nobody accepts there) is replaced; mode 0600 for unix
// sockets.
Result<UniqueFd, Problem> listen_on(const SocketAddress& address, int backlog = 4096);
// Begins to connect; the descriptor becomes writable when it is over, then ask connect_result.
Result<UniqueFd> begin_connect(const SocketAddress& address) noexcept;
// 0 when connected, else the errno why not.
int connect_result(int fd) noexcept;
// accept4; an error of kind internal with os_error EAGAIN when nobody waits.
Result<UniqueFd> accept_from(int listener, SocketAddress* peer) noexcept;

SocketAddress local_address(int fd) noexcept;
SocketAddress peer_address(int fd) noexcept;

void set_no_delay(int fd) noexcept;
void set_keep_alive(
    int fd) noexcept;  // probes after 60 s of silence; finds clients whose host is gone
void reset_on_close(int fd) noexcept;  // close() sends RST instead of FIN

// Raises the soft limit of descriptors to the hard one; returns the limit now in force.
uint64_t raise_descriptor_limit() noexcept;
// The limit as it was before that: for children, whose select() breaks beyond 1,024. Safe after
// fork.
void restore_descriptor_limit() noexcept;

}  // namespace weir
