#include "tests/compare/load_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/compare/answer_reader.h"
#include "tests/compare/client_report.h"
#include "tests/compare/load_backend.h"

namespace load_peers {
namespace {

constexpr size_t kScratchBytes = 256 << 10;
constexpr int kEventsPerWait = 256;
constexpr int64_t kMs = 1'000'000;
constexpr int64_t kPatienceNs = 10'000 * kMs;  // for answers still out at the end

struct Connection {
  int fd = -1;
  bool is_writing = false;
  std::string begin;   // head and body up to the number, and the number
  size_t written = 0;  // of begin and the rest of the body
  char number[kNumberText] = {};
  uint64_t stream = 0;
  int64_t since_ns = 0;
  AnswerReader reader;
  size_t body_at = 0;  // of an answer that is known as a whole
  std::string event;   // of a stream, as far as it came
  uint32_t next_event = 0;
};

class Client {
 public:
  Client(const ClientOptions& options, Backend* backend)
      : options_(options), backend_(backend), report_(options), scratch_(kScratchBytes) {}
  int run();

 private:
  bool is_stream() const { return options_.work == Work::stream; }
  bool turn(int64_t now);
  void on_time(int64_t now);
  void start(Connection& connection, int64_t now);
  bool connect(Connection& connection);
  void write(Connection& connection);
  void on_ready(Connection& connection, uint32_t events);
  void on_bytes(Connection& connection, std::string_view bytes);
  void on_body(Connection& connection, std::string_view piece);
  void on_stream_body(Connection& connection, std::string_view piece);
  void on_event(Connection& connection, std::string_view bytes);
  void on_answer(Connection& connection);
  void fail(Connection& connection, const std::string& why);

  const ClientOptions& options_;
  Backend* const backend_;
  ClientReport report_;
  std::vector<char> scratch_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections_;
  uint64_t last_number_ = 0;
  uint32_t events_per_stream_ = 0;
  int busy_ = 0;  // connections that wait for an answer
  bool is_over_ = false;
  bool has_event_end_ = false;  // in the read that is being looked at
  int64_t measure_ns_ = 0;
  int64_t end_ns_ = 0;
};

int Client::run() {
  const int64_t begin = monotonic_ns();
  measure_ns_ = begin + options_.warm_ms * kMs;
  end_ns_ = measure_ns_ + options_.run_ms * kMs;
  // Streams last a little longer than the measurement.
  events_per_stream_ = static_cast<uint32_t>((options_.warm_ms + options_.run_ms + 300) /
                                             std::max(options_.interval_ms, 1));
  for (int i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    start(*connections_.back(), monotonic_ns());
  }
  int64_t now = monotonic_ns();
  while (!report_.has_failed() && (busy_ > 0 || !is_over_) && now < end_ns_ + kPatienceNs) {
    const bool was_busy = turn(now);
    const int64_t before = now;
    now = monotonic_ns();
    if (!was_busy) report_.on_idle(now - before);
  }
  if (busy_ > 0) report_.fail("answers did not come in time");
  return report_.print();
}

// False: there was nothing to do.
bool Client::turn(int64_t now) {
  const bool was_busy = backend_ != nullptr && backend_->turn(0);
  const int64_t next = now < measure_ns_ ? measure_ns_
                       : now < end_ns_   ? end_ns_
                                         : now + kPatienceNs;
  epoll_event events[kEventsPerWait];
  const int n = ::epoll_wait(epoll_, events, kEventsPerWait,
                             backend_ != nullptr ? 0 : static_cast<int>((next - now) / kMs) + 1);
  on_time(monotonic_ns());
  for (int i = 0; i < n; ++i) {
    on_ready(*static_cast<Connection*>(events[i].data.ptr), events[i].events);
  }
  return was_busy || n > 0;
}

void Client::on_time(int64_t now) {
  if (!report_.is_measuring() && !is_over_ && now >= measure_ns_) {
    report_.begin(now);
    end_ns_ = now + options_.run_ms * kMs;
  }
  if (report_.is_measuring() && now >= end_ns_) {
    report_.end(now);
    is_over_ = true;
  }
}

void Client::start(Connection& connection, int64_t now) {
  ++busy_;
  connection.since_ns = now;
  connection.stream = ++last_number_;
  LoadField load{.work = options_.work,
                 .events = is_stream() ? events_per_stream_ : 0,
                 .interval_us = static_cast<uint32_t>(options_.interval_ms) * 1000};
  write_number(load.number, connection.stream);
  memcpy(connection.number, load.number, kNumberText);
  const KnownText& body = request_body(options_.work);
  if (connection.begin.empty()) {
    connection.begin =
        request_head(load, false) + std::string(body.text().substr(0, body.number_end()));
  } else {  // the number stands in the head and in the body
    const size_t in_head = connection.begin.find("X-Load: ") + 8;
    const size_t at = connection.begin.find(' ', in_head) + 1;
    connection.begin.replace(at, kNumberText, load.number, kNumberText);
  }
  connection.begin.replace(connection.begin.size() - kNumberText, kNumberText, load.number,
                           kNumberText);
  connection.written = 0;
  connection.body_at = 0;
  connection.next_event = 0;
  connection.event.clear();
  connection.reader.begin();
  connection.is_writing = true;
  if (connection.fd < 0 && !connect(connection)) return fail(connection, "cannot connect");
  write(connection);
}

bool Client::connect(Connection& connection) {
  connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (options_.has_new_connection_each) {
    // From many addresses, or the ports of one run out.
    ::setsockopt(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<uint32_t>(last_number_ % 64));
    ::bind(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    return false;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &connection;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) == 0;
}

void Client::write(Connection& connection) {
  const KnownText& body = request_body(options_.work);
  const std::string_view begin = connection.begin;
  const std::string_view rest = body.text().substr(body.number_end());
  while (connection.is_writing) {
    iovec pieces[2];
    size_t count = 0;
    for (const auto& [piece, at] : {std::pair(begin, size_t{0}), std::pair(rest, begin.size())}) {
      const size_t gone = std::clamp(connection.written, at, at + piece.size()) - at;
      if (gone == piece.size()) continue;
      pieces[count++] = {const_cast<char*>(piece.data() + gone), piece.size() - gone};
    }
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(connection.fd, &message, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (n < 0) return fail(connection, std::string("cannot send: ") + strerror(errno));
    connection.written += static_cast<size_t>(n);
    connection.is_writing = connection.written < begin.size() + rest.size();
  }
}

void Client::on_ready(Connection& connection, uint32_t events) {
  if (connection.fd < 0) return;
  if ((events & EPOLLOUT) != 0 && connection.is_writing) write(connection);
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return;
  const int fd = connection.fd;
  while (connection.fd == fd) {
    const ssize_t n = ::recv(fd, scratch_.data(), scratch_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return fail(connection, n == 0 ? "closed by the other side" : strerror(errno));
    on_bytes(connection, {scratch_.data(), static_cast<size_t>(n)});
    const bool is_drained = static_cast<size_t>(n) < scratch_.size();
    if (is_drained && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  }
}

void Client::on_bytes(Connection& connection, std::string_view bytes) {
  has_event_end_ = false;
  const size_t took =
      connection.reader.feed(bytes, [&](std::string_view piece) { on_body(connection, piece); });
  if (has_event_end_) report_.on_read_with_event();
  const AnswerReader::State state = connection.reader.state();
  if (state == AnswerReader::State::bad) return fail(connection, "an answer that is no HTTP");
  if (took != bytes.size()) return fail(connection, "bytes after the answer");
  if (connection.reader.status() != 0 && connection.reader.status() != 200) {
    return fail(connection, "status " + std::to_string(connection.reader.status()));
  }
  if (state == AnswerReader::State::done) on_answer(connection);
}

void Client::on_body(Connection& connection, std::string_view piece) {
  if (connection.reader.status() != 200) return;
  if (is_stream()) return on_stream_body(connection, piece);
  const std::string_view number(connection.number, kNumberText);
  if (!json_answer().matches(connection.body_at, piece, number)) report_.fail("a wrong body");
  connection.body_at += piece.size();
}

void Client::on_stream_body(Connection& connection, std::string_view piece) {
  while (!piece.empty()) {
    const size_t size =
        connection.next_event < events_per_stream_ ? kEventBytes : kLastEvent.size();
    if (connection.event.empty() && piece.size() >= size) {
      on_event(connection, piece.substr(0, size));
      piece.remove_prefix(size);
      continue;
    }
    const std::string_view part = piece.substr(0, size - connection.event.size());
    connection.event.append(part);
    piece.remove_prefix(part.size());
    if (connection.event.size() < size) return;
    on_event(connection, connection.event);
    connection.event.clear();
  }
}

void Client::on_event(Connection& connection, std::string_view bytes) {
  has_event_end_ = true;
  const uint32_t index = connection.next_event++;
  if (index >= events_per_stream_) {
    if (index > events_per_stream_ || bytes != kLastEvent) report_.fail("a wrong last event");
    return;
  }
  int64_t at_ns = 0;
  if (!check_event(bytes, connection.stream, index, &at_ns)) return report_.fail("a wrong event");
  report_.on_done(monotonic_ns() - at_ns);
}

void Client::on_answer(Connection& connection) {
  const int64_t now = monotonic_ns();
  --busy_;
  if (is_stream()) {
    if (connection.next_event != events_per_stream_ + 1) report_.fail("a stream that ended early");
    return;
  }
  if (connection.body_at != json_answer().size()) return report_.fail("a body that is too short");
  if (connection.is_writing) return report_.fail("an answer before the request was sent");
  report_.on_done(now - connection.since_ns);
  if (options_.has_new_connection_each) {
    ::close(connection.fd);
    connection.fd = -1;
  }
  if (!is_over_) start(connection, now);
}

void Client::fail(Connection& connection, const std::string& why) {
  report_.fail(why + ", at request " + std::to_string(connection.stream));
  if (connection.fd >= 0) ::close(connection.fd);
  connection.fd = -1;
}

}  // namespace

int run_client(const ClientOptions& options, Backend* backend) {
  return Client(options, backend).run();
}

}  // namespace load_peers
