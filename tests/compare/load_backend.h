// The backend of the comparison: an epoll of its own, any number of connections. Verifies every
// request body and answers what the head's X-Load asks for; streams are paced. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "tests/compare/messages.h"

namespace load_peers {

class Backend {
 public:
  // Listens on a port of loopback, 0: one that is free.
  explicit Backend(int port);

  int port() const { return port_; }  // 0: it could not listen, and errno says why
  // Does what there is to do, after waiting for it at most so long. False: there was nothing.
  bool turn(int wait_ms);

 private:
  struct Connection {
    int fd = -1;
    uint64_t life = 0;  // which of those that had this descriptor
    std::string head;
    LoadField load;
    bool has_load = false;
    bool is_last = false;  // close after the answer
    bool is_wrong = false;
    size_t body_size = 0;
    size_t body_at = 0;
    bool is_in_body = false;
    uint64_t stream = 0;
    uint32_t next_event = 0;
  };
  struct Due {
    int64_t at_ns;
    int fd;
    uint64_t life;
    bool operator>(const Due& other) const { return at_ns > other.at_ns; }
  };

  void watch(int fd);
  void on_listener();
  void on_readable(Connection& connection, bool has_hangup);
  bool take(Connection& connection, std::string_view bytes);  // false: it was closed
  void take_head(Connection& connection);
  bool answer(Connection& connection);
  bool send_all(Connection& connection, std::string_view bytes);
  void close(Connection& connection);
  void begin_stream(Connection& connection);
  bool send_events(int64_t now);
  void send_event(Connection& connection, int64_t now);

  int port_ = 0;
  int listener_ = -1;
  int epoll_ = -1;
  std::vector<char> scratch_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  uint64_t lives_ = 0;
  int64_t next_burst_ns_ = 0;
};

}  // namespace load_peers
