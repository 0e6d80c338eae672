#include "lb/net/peer_uid.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "lb/net/socket.h"

namespace weir {
namespace {

// An end of a TCP connection: IPv4 as its 4 bytes, IPv6 as its 16, in network order.
struct End {
  std::array<uint32_t, 4> address{};
  uint16_t port = 0;  // network order
  bool operator==(const End&) const = default;
};

struct Connection {
  int family = AF_UNSPEC;
  End here;   // of the accepted socket
  End there;  // the client's
};

// False unless both are of one family, TCP's.
bool read_end(const SocketAddress& address, int* family, End* end) {
  *family = address.family();
  if (*family == AF_INET) {
    sockaddr_in in;
    ::memcpy(&in, &address.storage, sizeof in);
    end->address[0] = in.sin_addr.s_addr;
    end->port = in.sin_port;
    return true;
  }
  if (*family != AF_INET6) return false;
  sockaddr_in6 in6;
  ::memcpy(&in6, &address.storage, sizeof in6);
  end->port = in6.sin6_port;
  if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
    *family = AF_INET;
    ::memcpy(end->address.data(), &in6.sin6_addr.s6_addr[12], 4);
  } else {
    ::memcpy(end->address.data(), &in6.sin6_addr, 16);
  }
  return true;
}

bool is_loopback(const Connection& connection) {
  const auto is_own = [&connection](const End& end) {
    if (connection.family == AF_INET) return (ntohl(end.address[0]) >> 24) == 127;
    return end.address == std::array<uint32_t, 4>{0, 0, 0, htonl(1)};
  };
  return is_own(connection.here) && is_own(connection.there);
}

enum class Answer : uint8_t { found, not_found, unsupported };

// Looks up the client's socket: its source is `there`.
Answer ask_kernel(const Connection& connection, uint32_t* uid) {
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return Answer::unsupported;
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = static_cast<uint8_t>(connection.family);
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  inet_diag_sockid& id = question.request.id;
  id.idiag_sport = connection.there.port;
  id.idiag_dport = connection.here.port;
  ::memcpy(id.idiag_src, connection.there.address.data(), sizeof id.idiag_src);
  ::memcpy(id.idiag_dst, connection.here.address.data(), sizeof id.idiag_dst);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(fd.get(), &question, sizeof question, 0) < 0) return Answer::unsupported;

  alignas(nlmsghdr) std::array<char, 8192> buffer;
  const ssize_t size = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return Answer::unsupported;
  nlmsghdr header;
  ::memcpy(&header, buffer.data(), sizeof header);
  if (header.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr error;
    ::memcpy(&error, buffer.data() + sizeof header, sizeof error);
    return error.error == -ENOENT ? Answer::not_found : Answer::unsupported;
  }
  if (size < static_cast<ssize_t>(sizeof header + sizeof(inet_diag_msg)))
    return Answer::unsupported;
  inet_diag_msg found;
  ::memcpy(&found, buffer.data() + sizeof header, sizeof found);
  // A socket that its process has closed has no inode, and the kernel calls it root's.
  if (found.idiag_inode == 0) return Answer::not_found;
  *uid = found.idiag_uid;
  return Answer::found;
}

std::optional<End> parse_end(const char* address, unsigned port, int family) {
  End end;
  end.port = htons(static_cast<uint16_t>(port));
  const size_t words = family == AF_INET ? 1 : 4;
  if (::strlen(address) != words * 8) return {};
  for (size_t i = 0; i < words; ++i) {
    unsigned word = 0;
    if (::sscanf(address + 8 * i, "%8x", &word) != 1) return {};
    end.address[i] = word;
  }
  return end;
}

// For kernels (and sandboxes) without sock_diag.
std::optional<uint32_t> look_into_table(const char* path, int family,
                                        const Connection& connection) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fopen(path, "re"), &::fclose);
  if (!file) return {};
  char line[512];
  while (::fgets(line, sizeof line, file.get()) != nullptr) {
    char local[33];
    char remote[33];
    unsigned local_port = 0;
    unsigned remote_port = 0;
    unsigned uid = 0;
    unsigned long inode = 0;
    const int fields = ::sscanf(
        line, " %*u: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %*x %*x:%*x %*x:%*x %*x %u %*u %lu", local,
        &local_port, remote, &remote_port, &uid, &inode);
    if (fields != 6 || inode == 0) continue;
    const auto source = parse_end(local, local_port, family);
    const auto target = parse_end(remote, remote_port, family);
    if (source && target && *source == connection.there && *target == connection.here) return uid;
  }
  return {};
}

}  // namespace

std::optional<uint32_t> peer_uid(int fd) noexcept {
  const SocketAddress here = local_address(fd);
  const SocketAddress there = peer_address(fd);
  if (here.family() == AF_UNIX) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
    return credentials.uid;
  }
  Connection connection;
  int other_family = AF_UNSPEC;
  if (!read_end(here, &connection.family, &connection.here)) return {};
  if (!read_end(there, &other_family, &connection.there)) return {};
  if (connection.family != other_family || !is_loopback(connection)) return {};
  uint32_t uid = 0;
  switch (ask_kernel(connection, &uid)) {
    case Answer::found:
      return uid;
    case Answer::not_found:
      return {};
    case Answer::unsupported:
      break;
  }
  const bool is_ipv4 = connection.family == AF_INET;
  return look_into_table(is_ipv4 ? "/proc/net/tcp" : "/proc/net/tcp6", connection.family,
                         connection);
}

}  // namespace weir
