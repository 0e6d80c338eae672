// Accepts clients on one listening socket and owns its worker's share of them. Every worker has a
// Listener on each socket; whoever accepts hands the client to the worker that carries least. Owned
// by a worker. Its loop's thread only, but for what is marked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "lb/net/io_event.h"
#include "lb/net/socket.h"
#include "lb/proxy/client_connection.h"

namespace weir {

class Listener;

// One listening socket and the Listeners of all workers on it; the last of them that stops for good
// closes it. Members join before any thread runs; then any thread.
class ListeningSocket {
 public:
  explicit ListeningSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  int fd() const { return fd_.get(); }
  void join(Listener& member) { members_.push_back(&member); }
  // The member whose worker carries least; `asking` if it is one of those.
  Listener& least_loaded(Listener& asking) const;

 private:
  UniqueFd fd_;
  std::vector<Listener*> members_;  // all outlive the threads of all
};

// How many clients the process may have, and has. One a service; any thread.
struct ClientLimit {
  uint32_t most = ~uint32_t{0};
  std::atomic<uint32_t> now{0};
};

class Listener final : public ClientConnectionOwner {
 public:
  Listener(ProxyContext& context, std::shared_ptr<ListeningSocket> socket, ClientLimit& limit);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  [[nodiscard]] bool start();
  void stop_accepting();
  void drain();      // stop accepting for good, idle clients go, busy ones after their exchange
  void close_all();  // every client now

  uint32_t load() const noexcept;  // of its worker; any thread

 private:
  struct Accepted {
    UniqueFd fd;
    SocketAddress peer;
  };

  void on_acceptable(Readiness readiness);
  bool has_room();
  void hand_over(Accepted client);  // any thread: to this listener's worker
  void on_handed_over();
  void adopt(Accepted client);
  void pause();
  void on_pause_over();
  size_t close_idle(size_t most);
  void on_client_closed(ClientConnection& connection) override;

  ProxyContext& context_;
  std::shared_ptr<ListeningSocket> socket_;
  ClientLimit& limit_;
  IoEvent event_;
  Timer pause_;  // no descriptor or no room: no spinning
  std::vector<std::unique_ptr<ClientConnection>> clients_;
  size_t cursor_ = 0;  // where close_idle goes on
  bool is_draining_ = false;
  bool has_complained_ = false;  // of the room, since there was some
  std::mutex mutex_;
  std::vector<Accepted> handed_over_;  // guarded by mutex_
  Task arrival_;
};

}  // namespace weir
