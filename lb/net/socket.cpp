#include "lb/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include <netdb.h>

namespace weir {
namespace {

std::atomic<rlim_t> raised_from{
    RLIM_INFINITY};  // the soft limit of descriptors; infinity = it was not

Problem system_problem(const std::string& what, int error, std::string help = {}) {
  return Problem{what + ": " + ::strerror(error), std::move(help)};
}

// For every client that connects; inet_ntop would print through sprintf.
std::string dotted(const in_addr& ip) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&ip.s_addr);
  std::string text = std::to_string(bytes[0]);
  for (int i = 1; i < 4; ++i) text.append(1, '.').append(std::to_string(bytes[i]));
  return text;
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress out;
  auto* un = reinterpret_cast<sockaddr_un*>(&out.storage);
  un->sun_family = AF_UNIX;
  const size_t n = path.copy(un->sun_path, sizeof un->sun_path - 1);
  un->sun_path[n] = '\0';
  out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + n + 1);
  return out;
}

SocketAddress from_sockaddr(const sockaddr* address, socklen_t length) {
  SocketAddress out;
  ::memcpy(&out.storage, address, length);
  out.length = length;
  return out;
}

Result<std::vector<SocketAddress>, Problem> look_up(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(address.port);
  const int rc = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(), port.c_str(),
                               &hints, &list);
  if (rc != 0 && address.host == "localhost" && (flags & AI_NUMERICHOST) == 0) {
    // It means this machine whatever the name service says (RFC 6761); a bare root has no
    // /etc/hosts.
    return look_up({"127.0.0.1", address.port, false}, 0);
  }
  if (rc != 0) {
    return Problem{"cannot resolve \"" + address.host + "\": " + ::gai_strerror(rc),
                   "check the name, or give an IP address"};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<SocketAddress> out;
  for (const addrinfo* it = list; it != nullptr; it = it->ai_next) {
    out.push_back(from_sockaddr(it->ai_addr, it->ai_addrlen));
  }
  return out;
}

bool has_ipv6() {
  const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return static_cast<bool>(fd);
}

SocketAddress wildcard(uint16_t port) {
  SocketAddress out;
  if (has_ipv6()) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_addr = in6addr_any;
    in6->sin6_port = htons(port);
    out.length = sizeof(sockaddr_in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&out.storage);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_ANY);
    in->sin_port = htons(port);
    out.length = sizeof(sockaddr_in);
  }
  return out;
}

// A socket file that nobody accepts on is left over from a process that died. A file of another
// kind refuses connections too, but is not ours to remove.
bool is_stale_socket(const SocketAddress& address) {
  struct stat file {};
  const char* path = reinterpret_cast<const sockaddr_un*>(&address.storage)->sun_path;
  if (::lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return false;
  return ::connect(probe.get(), address.get(), address.length) != 0 && errno == ECONNREFUSED;
}

void set_option(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_UNIX) return true;
  if (family() == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr) >> 24) == 127;
  }
  if (family() != AF_INET6) return false;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
}

std::string SocketAddress::host() const {
  if (family() == AF_INET) {
    return dotted(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr);
  }
  if (family() == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
      in_addr mapped{};
      ::memcpy(&mapped, &ip.s6_addr[12], sizeof mapped);
      return dotted(mapped);
    }
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET6, &ip, text, sizeof text);
    return text;
  }
  return "unix";
}

std::string SocketAddress::to_string() const {
  if (family() == AF_UNIX) {
    return std::string("unix:") + reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  }
  return weir::to_string(Address{host(), port(), false});
}

Result<SocketAddress, Problem> numeric_address(const Address& address) {
  if (address.is_unix) return unix_address(address.host);
  if (address.host.empty()) return wildcard(address.port);
  Result<std::vector<SocketAddress>, Problem> list = look_up(address, AI_NUMERICHOST);
  if (!list) return list.error();
  return list->front();
}

Result<std::vector<SocketAddress>, Problem> resolve(const Address& address) {
  if (Result<SocketAddress, Problem> numeric = numeric_address(address)) {
    return std::vector<SocketAddress>{*numeric};
  }
  return look_up(address, AI_ADDRCONFIG);
}

Result<UniqueFd, Problem> listen_on(const SocketAddress& address, int backlog) {
  const std::string where = address.to_string();
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_problem("cannot listen on " + where, errno);
  if (address.family() == AF_UNIX) {
    if (is_stale_socket(address)) {
      ::unlink(reinterpret_cast<const sockaddr_un*>(&address.storage)->sun_path);
    }
  } else {
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (address.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_no_delay(fd.get());  // what is accepted inherits both
    set_keep_alive(fd.get());
  }
  const mode_t old_mask = address.family() == AF_UNIX ? ::umask(0177) : 0;
  const int rc = ::bind(fd.get(), address.get(), address.length);
  const int error = errno;
  if (address.family() == AF_UNIX) ::umask(old_mask);
  if (rc != 0) {
    return system_problem(
        "cannot listen on " + where, error,
        error == EADDRINUSE ? "another program uses this address; choose another port" : "");
  }
  if (::listen(fd.get(), backlog) != 0) return system_problem("cannot listen on " + where, errno);
  return fd;
}

Result<UniqueFd> begin_connect(const SocketAddress& address) noexcept {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Error{ErrorKind::out_of_memory, false, errno};  // ours, whoever it was meant for
  if (address.family() != AF_UNIX) set_no_delay(fd.get());
  if (::connect(fd.get(), address.get(), address.length) == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  const bool is_refused = error == ECONNREFUSED || error == ENOENT;
  return Error{is_refused ? ErrorKind::connect_refused : ErrorKind::connect_failed, false, error};
}

int connect_result(int fd) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

Result<UniqueFd> accept_from(int listener, SocketAddress* peer) noexcept {
  peer->length = sizeof peer->storage;
  UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&peer->storage), &peer->length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return Error{ErrorKind::internal, false, errno};
  return fd;
}

SocketAddress local_address(int fd) noexcept {
  SocketAddress out;
  out.length = sizeof out.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&out.storage), &out.length) != 0)
    out.length = 0;
  return out;
}

SocketAddress peer_address(int fd) noexcept {
  SocketAddress out;
  out.length = sizeof out.storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&out.storage), &out.length) != 0)
    out.length = 0;
  return out;
}

void set_no_delay(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void set_keep_alive(int fd) noexcept {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void reset_on_close(int fd) noexcept {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
    raised_from.store(before);
  }
  return limit.rlim_cur;
}

void restore_descriptor_limit() noexcept {
  rlimit limit{};
  const rlim_t before = raised_from.load();
  if (before == RLIM_INFINITY || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(before, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace weir
