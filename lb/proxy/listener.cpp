#include "lb/proxy/listener.h"

#include <errno.h>

#include "weir/log.h"

#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr int kAcceptsPerWake = 16;
constexpr Duration kPause = std::chrono::milliseconds(200);

}  // namespace

Listener::Listener(ProxyContext& context, int listening_fd)
    : context_(context),
      fd_(listening_fd),
      pause_(context.loop.timers(), bind<&Listener::on_pause_over>(this)) {}

Listener::~Listener() = default;

bool Listener::start() {
  return event_.add_level_readable(context_.loop, fd_, bind<&Listener::on_acceptable>(this));
}

void Listener::stop_accepting() {
  event_.remove();
  pause_.cancel();
}

void Listener::on_acceptable(Readiness) {
  for (int i = 0; i < kAcceptsPerWake; ++i) {
    SocketAddress peer;
    Result<UniqueFd> fd = accept_from(fd_, &peer);
    if (!fd) {
      const int error = fd.error().os_error;
      if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) {
        log_warning("no descriptor left for another client; accepting again in 200 ms");
        stop_accepting();
        pause_.start(kPause);
        return;
      }
      if (error == EAGAIN) return;
      continue;  // ECONNABORTED and the like: this one only
    }
    auto client = std::make_unique<ClientConnection>(context_, *this);
    client->index = clients_.size();
    ClientConnection& opened = *client;
    clients_.push_back(std::move(client));
    if (!opened.open(std::move(*fd), peer)) on_client_closed(opened);
  }
}

void Listener::on_pause_over() {
  if (!start()) pause_.start(kPause);
}

void Listener::on_client_closed(ClientConnection& connection) {
  const size_t index = connection.index;
  std::unique_ptr<ClientConnection> gone = std::move(clients_[index]);
  clients_[index] = std::move(clients_.back());
  if (clients_[index]) clients_[index]->index = index;
  clients_.pop_back();
  context_.loop.retire(std::move(gone));
}

void Listener::drain() {
  stop_accepting();
  for (size_t i = clients_.size(); i-- > 0;) clients_[i]->drain();
}

void Listener::close_all() {
  stop_accepting();
  while (!clients_.empty()) clients_.back()->close_now();
}

}  // namespace weir
