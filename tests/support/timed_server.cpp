// A server whose answers come at known times, to test testers: streams in vLLM's wire format, a
// token at a time, at a pace; and it writes down when it really sent each, so that a late server
// cannot pass for a wrong client. One thread, plain epoll, nothing of weir's own: what is measured
// with it may not share a mistake with it.
//
//   timed_server LOG FIRST_MS GAP_MS TOKENS     listens on a free port of 127.0.0.1, which it
//   prints
//
// Until SIGTERM; then LOG gets, in binary (little endian): a record for each request,
//   u32 number at the end of the request's X-Request-Id, u32 number of sends,
//   i64 ns of CLOCK_MONOTONIC when the request was read whole, then i64 ns of each token's send.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

volatile sig_atomic_t stopped = 0;

void on_term(int) {
  stopped = 1;
}

int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

struct Settings {
  int64_t first_ns;
  int64_t gap_ns;
  uint32_t tokens;
};

struct Sent {
  uint32_t index = ~0U;
  int64_t read_ns = 0;
  std::vector<int64_t> token_ns;
};

struct Connection {
  int fd;
  std::string input;
  Sent sent;  // of the answer that runs
  bool is_busy = false;
  uint64_t life = 0;  // a due token of an earlier life is stale
};

struct Due {
  int64_t at_ns;
  int fd;
  uint64_t life;
  bool operator>(const Due& other) const { return at_ns > other.at_ns; }
};

std::string chunk(std::string_view data) {
  char size[16];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return std::string(size, static_cast<size_t>(length)) + std::string(data) + "\r\n";
}

std::string event(const char* choices, const char* more = "") {
  std::string text =
      "data: "
      "{\"id\":\"chatcmpl-7f1d0d1c2b9a4c51\",\"object\":\"chat.completion.chunk\",\"created\":"
      "1763800000,\"model\":\"timed\",\"choices\":[";
  return chunk(text + choices + "]" + more + "}\n\n");
}

class Server {
 public:
  explicit Server(Settings settings)
      : settings_(settings),
        head_(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            "transfer-encoding: chunked\r\n\r\n"),
        role_(event("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                    "\"logprobs\":null,\"finish_reason\":null}")),
        token_(event("{\"index\":0,\"delta\":{\"content\":\" river\"},\"logprobs\":null,"
                     "\"finish_reason\":null,\"token_ids\":null}")),
        end_(event("{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\"}") +
             event("", (",\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":" +
                        std::to_string(settings.tokens) + "}")
                           .c_str()) +
             chunk("data: [DONE]\n\n") + "0\r\n\r\n") {}

  int listen();
  void run();
  bool write_log(const char* path) const;

 private:
  void accept_all();
  void on_input(int fd);
  bool take_request(Connection& connection);
  void start_answer(Connection& connection);
  void send_due();
  void send(int fd, std::string_view bytes);
  void close(int fd);
  void arm();

  Settings settings_;
  std::string head_;
  std::string role_;
  std::string token_;
  std::string end_;
  int listener_ = -1;
  int epoll_ = -1;
  int timer_ = -1;
  uint64_t lives_ = 0;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<Sent> done_;
};

int Server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  if (::listen(listener_, 4096) != 0) return -1;
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  for (const int fd : {listener_, timer_}) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted);
  }
  return ::ntohs(address.sin_port);
}

void Server::run() {
  epoll_event ready[256];
  while (stopped == 0) {
    arm();
    const int count = ::epoll_wait(epoll_, ready, 256, 1000);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      if (fd == listener_) {
        accept_all();
      } else if (fd == timer_) {
        uint64_t times = 0;
        [[maybe_unused]] const ssize_t n = ::read(timer_, &times, sizeof times);
      } else {
        on_input(fd);
      }
      send_due();
    }
    send_due();
  }
}

void Server::arm() {
  itimerspec when{};
  if (!due_.empty()) {
    const int64_t at = std::max<int64_t>(1, due_.top().at_ns);
    when.it_value.tv_sec = at / 1'000'000'000;
    when.it_value.tv_nsec = at % 1'000'000'000;
  }
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Server::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted);
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connections_[fd] = std::move(connection);
  }
}

void Server::on_input(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  char buffer[65536];
  const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
  if (count == 0 || (count < 0 && errno != EAGAIN)) return close(fd);
  if (count < 0) return;
  found->second->input.append(buffer, static_cast<size_t>(count));
  if (!found->second->is_busy && take_request(*found->second)) start_answer(*found->second);
}

// What a tester asks before the load is answered at once.
bool Server::take_request(Connection& connection) {
  const std::string& input = connection.input;
  const size_t end = input.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string_view head = std::string_view(input).substr(0, end + 2);
  size_t length = 0;
  if (const size_t at = head.find("Content-Length: "); at != head.npos) {
    length = std::strtoul(input.c_str() + at + 16, nullptr, 10);
  }
  if (input.size() < end + 4 + length) return false;
  if (!head.starts_with("POST /v1/")) {
    const bool is_models = head.starts_with("GET /v1/models");
    const std::string_view body = is_models ? "{\"data\":[{\"id\":\"timed\"}]}" : "{}";
    send(connection.fd, std::string("HTTP/1.1 ") + (is_models ? "200 OK" : "404 Not Found") +
                            "\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\nConnection: close\r\n\r\n" + std::string(body));
    ::shutdown(connection.fd, SHUT_WR);
    connection.input.clear();
    return false;
  }
  connection.sent = Sent{};
  if (const size_t at = head.find("X-Request-Id: "); at != head.npos) {
    const size_t dash = head.substr(0, head.find("\r\n", at)).rfind('-');
    connection.sent.index =
        static_cast<uint32_t>(std::strtoul(input.c_str() + dash + 1, nullptr, 10));
  }
  connection.input.erase(0, end + 4 + length);
  return true;
}

void Server::start_answer(Connection& connection) {
  connection.is_busy = true;
  connection.life = ++lives_;
  connection.sent.read_ns = now_ns();
  connection.sent.token_ns.reserve(settings_.tokens);
  send(connection.fd, head_ + role_);
  due_.push({connection.sent.read_ns + settings_.first_ns, connection.fd, connection.life});
}

void Server::send_due() {
  while (!due_.empty()) {
    const int64_t now = now_ns();
    const Due due = due_.top();
    if (due.at_ns > now) return;
    due_.pop();
    const auto found = connections_.find(due.fd);
    if (found == connections_.end() || found->second->life != due.life) continue;
    Connection& connection = *found->second;
    connection.sent.token_ns.push_back(now);
    send(due.fd, token_);
    if (connection.sent.token_ns.size() < settings_.tokens) {
      due_.push({due.at_ns + settings_.gap_ns, due.fd, due.life});
      continue;
    }
    send(due.fd, end_);
    done_.push_back(std::move(connection.sent));
    connection.is_busy = false;
  }
}

// A client that does not read its 200 bytes is no client to measure with.
void Server::send(int fd, std::string_view bytes) {
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    std::fprintf(stderr, "timed_server: a client does not read\n");
  }
}

void Server::close(int fd) {
  ::close(fd);
  connections_.erase(fd);
}

bool Server::write_log(const char* path) const {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return false;
  for (const Sent& sent : done_) {
    const auto sends = static_cast<uint32_t>(sent.token_ns.size());
    std::fwrite(&sent.index, sizeof sent.index, 1, file);
    std::fwrite(&sends, sizeof sends, 1, file);
    std::fwrite(&sent.read_ns, sizeof sent.read_ns, 1, file);
    std::fwrite(sent.token_ns.data(), sizeof(int64_t), sends, file);
  }
  return std::fclose(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: timed_server LOG FIRST_MS GAP_MS TOKENS\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGTERM, on_term);
  ::signal(SIGINT, on_term);
  Server server({static_cast<int64_t>(std::atof(argv[2]) * 1e6),
                 static_cast<int64_t>(std::atof(argv[3]) * 1e6),
                 static_cast<uint32_t>(std::atoi(argv[4]))});
  const int port = server.listen();
  if (port < 0) {
    std::perror("timed_server");
    return 1;
  }
  std::printf("%d\n", port);
  std::fflush(stdout);
  server.run();
  return server.write_log(argv[1]) ? 0 : 1;
}
