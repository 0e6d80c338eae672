// Accepts clients on one listening socket and owns their connections. Owned by a worker. Loop
// thread only.
#pragma once

#include <memory>
#include <vector>

#include "lb/net/io_event.h"
#include "lb/net/socket.h"
#include "lb/proxy/client_connection.h"

namespace weir {

class Listener final : public ClientConnectionOwner {
 public:
  // The socket stays its owner's: several workers may share it.
  Listener(ProxyContext& context, int listening_fd);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  [[nodiscard]] bool start();
  void stop_accepting();
  void drain();      // stop accepting, idle clients go, busy ones after their exchange
  void close_all();  // every client now

  size_t clients() const { return clients_.size(); }

 private:
  void on_acceptable(Readiness readiness);
  void on_pause_over();
  void on_client_closed(ClientConnection& connection) override;

  ProxyContext& context_;
  int fd_;
  IoEvent event_;
  Timer pause_;  // after EMFILE: no spinning
  std::vector<std::unique_ptr<ClientConnection>> clients_;
};

}  // namespace weir
