#include "tests/compare/load_backend.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "tests/compare/messages.h"
#include "tests/compare/usage.h"

namespace load_peers {
namespace {

constexpr size_t kScratchBytes = 256 << 10;
constexpr size_t kMaxHead = 16 << 10;
constexpr int kEventsPerWait = 256;

int listen_on_loopback(int* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(*port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd, 4096) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return -1;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

Backend::Backend(int port)
    : listener_(listen_on_loopback(&port)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      scratch_(kScratchBytes) {
  if (listener_ < 0) return;
  port_ = port;
  watch(listener_);
}

void Backend::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN | (fd == listener_ ? 0U : EPOLLET | EPOLLRDHUP);
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

bool Backend::turn(int wait_ms) {
  // Whole milliseconds, as every event loop has it: what is due by then goes out together.
  if (!due_.empty()) {
    const int64_t at = std::max(due_.top().at_ns, next_burst_ns_);
    const int64_t next = std::max<int64_t>(at - monotonic_ns(), 0);
    wait_ms = std::min(wait_ms, static_cast<int>((next + 999'999) / 1'000'000));
  }
  epoll_event events[kEventsPerWait];
  const int n = ::epoll_wait(epoll_, events, kEventsPerWait, wait_ms);
  for (int i = 0; i < n; ++i) {
    const int fd = events[i].data.fd;
    if (fd == listener_) {
      on_listener();
    } else if (Connection& connection = *connections_[static_cast<size_t>(fd)];
               connection.fd >= 0) {
      on_readable(connection, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    }
  }
  return send_events(monotonic_ns()) || n > 0;
}

void Backend::on_listener() {
  for (int i = 0; i < 16; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connections_.size() <= static_cast<size_t>(fd)) {
      connections_.resize(static_cast<size_t>(fd) + 1);
    }
    auto& place = connections_[static_cast<size_t>(fd)];
    if (!place) place = std::make_unique<Connection>();
    *place = Connection{};
    place->fd = fd;
    place->life = ++lives_;
    watch(fd);
  }
}

void Backend::on_readable(Connection& connection, bool has_hangup) {
  for (;;) {
    const ssize_t n = ::recv(connection.fd, scratch_.data(), scratch_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(connection);
    const std::string_view bytes(scratch_.data(), static_cast<size_t>(n));
    if (!take(connection, bytes)) return;
    if (bytes.size() < scratch_.size() && !has_hangup) return;  // drained
  }
}

bool Backend::take(Connection& connection, std::string_view bytes) {
  while (!bytes.empty()) {
    if (!connection.is_in_body) {
      const size_t before = connection.head.size();
      connection.head.append(bytes.substr(0, kMaxHead - before));
      const size_t end = connection.head.find("\r\n\r\n", before < 3 ? 0 : before - 3);
      if (end == std::string::npos) {
        if (connection.head.size() < kMaxHead) return true;
        close(connection);
        return false;
      }
      connection.head.resize(end + 4);
      bytes.remove_prefix(connection.head.size() - before);
      take_head(connection);
    }
    const std::string_view piece = bytes.substr(0, connection.body_size - connection.body_at);
    if (!piece.empty() && connection.has_load &&
        !request_body(connection.load.work)
             .matches(connection.body_at, piece, {connection.load.number, kNumberText})) {
      connection.is_wrong = true;
    }
    connection.body_at += piece.size();
    bytes.remove_prefix(piece.size());
    if (connection.body_at == connection.body_size && !answer(connection)) return false;
  }
  return true;
}

void Backend::take_head(Connection& connection) {
  connection.body_size = 0;
  connection.body_at = 0;
  connection.has_load = false;
  connection.is_last = false;
  for_each_field(connection.head, [&](std::string_view name, std::string_view value) {
    if (is_name(name, "content-length")) connection.body_size = decimal(value);
    if (is_name(name, "x-load")) connection.has_load = read_load_field(value, &connection.load);
    if (is_name(name, "connection")) connection.is_last = is_name(value, "close");
  });
  // What does not come in one piece with its length is no request of the client's.
  connection.is_wrong =
      connection.has_load && connection.body_size != request_body(connection.load.work).size();
  connection.is_in_body = true;
  connection.head.clear();
}

bool Backend::answer(Connection& connection) {
  connection.is_in_body = false;
  if (connection.is_wrong) {
    const bool is_sent =
        send_all(connection, "HTTP/1.1 422 Wrong Body\r\nContent-Length: 11\r\n\r\nwrong body\n");
    return is_sent;
  }
  if (connection.has_load && connection.load.work == Work::stream) {
    begin_stream(connection);
    return connection.fd >= 0;
  }
  const std::string body =
      connection.has_load ? json_answer().with({connection.load.number, kNumberText}) : "{}";
  const bool is_sent = send_all(connection,
                                "HTTP/1.1 200 OK\r\n"
                                "Date: Sun, 22 Nov 2026 18:00:00 GMT\r\n"
                                "Server: load_peers\r\n"
                                "Content-Type: application/json\r\n"
                                "Content-Length: " +
                                    std::to_string(body.size()) + "\r\n\r\n" + body);
  if (is_sent && connection.is_last) close(connection);
  return connection.fd >= 0;
}

// Every answer is small: one that the kernel does not take at once finds a proxy that does not
// read, and is cut.
bool Backend::send_all(Connection& connection, std::string_view bytes) {
  const ssize_t n = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n == static_cast<ssize_t>(bytes.size())) return true;
  close(connection);
  return false;
}

void Backend::close(Connection& connection) {
  ::close(connection.fd);
  connection.fd = -1;
}

void Backend::begin_stream(Connection& connection) {
  if (!read_number({connection.load.number, kNumberText}, &connection.stream)) {
    return close(connection);
  }
  connection.next_event = 0;
  if (!send_all(connection,
                "HTTP/1.1 200 OK\r\n"
                "Date: Sun, 22 Nov 2026 18:00:00 GMT\r\n"
                "Server: load_peers\r\n"
                "Content-Type: text/event-stream; charset=utf-8\r\n"
                "Transfer-Encoding: chunked\r\n\r\n")) {
    return;
  }
  // Phases spread evenly over the interval, whatever the order of the numbers.
  const uint64_t interval_ns = uint64_t{connection.load.interval_us} * 1000;
  const uint64_t phase = (connection.stream * 0x9e3779b97f4a7c15U >> 32) * interval_ns >> 32;
  due_.push({monotonic_ns() + static_cast<int64_t>(phase), connection.fd, connection.life});
}

bool Backend::send_events(int64_t now) {
  if (now < next_burst_ns_) return false;
  bool has_sent = false;
  while (!due_.empty() && due_.top().at_ns <= now) {
    Due due = due_.top();
    due_.pop();
    Connection& connection = *connections_[static_cast<size_t>(due.fd)];
    if (connection.fd < 0 || connection.life != due.life) continue;
    has_sent = true;
    send_event(connection, monotonic_ns());
    if (connection.fd < 0 || connection.next_event > connection.load.events) continue;
    due.at_ns += int64_t{connection.load.interval_us} * 1000;
    due_.push(due);
  }
  // Not before the next whole millisecond: peers that poll would send each event by itself.
  if (has_sent) next_burst_ns_ = (now / 1'000'000 + 1) * 1'000'000;
  return has_sent;
}

void Backend::send_event(Connection& connection, int64_t now) {
  if (connection.next_event++ == connection.load.events) {
    send_all(connection, "e\r\n" + std::string(kLastEvent) + "\r\n0\r\n\r\n");
    return;
  }
  constexpr std::string_view kSize = "c7\r\n";
  static_assert(kEventBytes == 0xc7 && kLastEvent.size() == 0xe);
  char chunk[kSize.size() + kEventBytes + 2];
  kSize.copy(chunk, kSize.size());
  write_event(chunk + kSize.size(), {connection.stream, connection.next_event - 1, now});
  chunk[sizeof chunk - 2] = '\r';
  chunk[sizeof chunk - 1] = '\n';
  send_all(connection, {chunk, sizeof chunk});
}

}  // namespace load_peers
