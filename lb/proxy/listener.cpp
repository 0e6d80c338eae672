#include "lb/proxy/listener.h"

#include <errno.h>

#include <algorithm>

#include "weir/log.h"

#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr int kAcceptsPerWake = 16;
constexpr Duration kPause = std::chrono::milliseconds(200);
// When there is no room: so many idle clients make some, looked for among so many.
constexpr size_t kIdleClosed = 16;
constexpr size_t kLookedAt = 1024;

bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

}  // namespace

Listener& ListeningSocket::least_loaded(Listener& asking) const {
  Listener* best = &asking;
  uint32_t lowest = asking.load();
  for (Listener* member : members_) {
    const uint32_t load = member->load();
    if (load >= lowest) continue;
    lowest = load;
    best = member;
  }
  return *best;
}

Listener::Listener(ProxyContext& context, std::shared_ptr<ListeningSocket> socket,
                   ClientLimit& limit)
    : context_(context),
      socket_(std::move(socket)),
      limit_(limit),
      pause_(context.loop.timers(), bind<&Listener::on_pause_over>(this)),
      arrival_(context.loop, bind<&Listener::on_handed_over>(this)) {
  socket_->join(*this);
}

Listener::~Listener() = default;

bool Listener::start() {
  return event_.add_level_readable(context_.loop, socket_->fd(),
                                   bind<&Listener::on_acceptable>(this));
}

uint32_t Listener::load() const noexcept {
  return context_.load();
}

void Listener::stop_accepting() {
  event_.remove();
  pause_.cancel();
}

void Listener::pause() {
  stop_accepting();
  pause_.start(kPause);
}

void Listener::on_acceptable(Readiness) {
  for (int i = 0; i < kAcceptsPerWake && has_room(); ++i) {
    Accepted client;
    Result<UniqueFd> fd = accept_from(socket_->fd(), &client.peer);
    if (!fd) {
      const int error = fd.error().os_error;
      if (error == EAGAIN) return;
      if (!is_exhaustion(error)) continue;  // ECONNABORTED and the like: this one only
      if (close_idle(kIdleClosed) > 0) return;
      log_warning("no descriptor left for another client; accepting again in 200 ms");
      pause();
      return;
    }
    client.fd = std::move(*fd);
    limit_.now.fetch_add(1, std::memory_order_relaxed);
    Listener& target = socket_->least_loaded(*this);
    // Counted before it arrives: the next one accepted shall see it.
    target.context_.clients.fetch_add(1, std::memory_order_relaxed);
    if (&target == this) {
      adopt(std::move(client));
    } else {
      target.hand_over(std::move(client));
    }
  }
}

// At the limit the clients that only keep a connection open make room for those that want
// something.
bool Listener::has_room() {
  if (limit_.now.load(std::memory_order_relaxed) < limit_.most) {
    has_complained_ = false;
    return true;
  }
  if (close_idle(kIdleClosed) > 0) return false;  // level-triggered: tried again at once
  if (!has_complained_) {
    log_warning("max_connections: " + std::to_string(limit_.most) +
                " clients are connected and none is idle; the next wait until some leave");
  }
  has_complained_ = true;
  pause();
  return false;
}

void Listener::hand_over(Accepted client) {
  {
    const std::lock_guard lock(mutex_);
    handed_over_.push_back(std::move(client));
  }
  arrival_.post();
}

void Listener::on_handed_over() {
  std::vector<Accepted> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(handed_over_);
  }
  for (Accepted& client : arrived) adopt(std::move(client));
}

void Listener::adopt(Accepted accepted) {
  auto client = std::make_unique<ClientConnection>(context_, *this);
  client->index = clients_.size();
  ClientConnection& opened = *client;
  clients_.push_back(std::move(client));
  if (!opened.open(std::move(accepted.fd), accepted.peer)) {
    on_client_closed(opened);
  } else if (is_draining_) {
    opened.drain();
  }
}

void Listener::on_pause_over() {
  if (!start()) pause_.start(kPause);
}

size_t Listener::close_idle(size_t most) {
  size_t closed = 0;
  for (size_t looked = std::min(clients_.size(), kLookedAt); looked > 0 && closed < most;
       --looked) {
    if (clients_.empty()) break;
    cursor_ = cursor_ + 1 < clients_.size() ? cursor_ + 1 : 0;
    if (!clients_[cursor_]->is_idle()) continue;
    clients_[cursor_]->close_now();  // the last one takes its place
    ++closed;
  }
  return closed;
}

void Listener::on_client_closed(ClientConnection& connection) {
  const size_t index = connection.index;
  std::unique_ptr<ClientConnection> gone = std::move(clients_[index]);
  clients_[index] = std::move(clients_.back());
  if (clients_[index]) clients_[index]->index = index;
  clients_.pop_back();
  context_.clients.fetch_sub(1, std::memory_order_relaxed);
  limit_.now.fetch_sub(1, std::memory_order_relaxed);
  context_.loop.retire(std::move(gone));
}

void Listener::drain() {
  stop_accepting();
  is_draining_ = true;
  for (size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size()) clients_[i]->drain();
  }
  socket_.reset();  // refused is a clearer word than a backlog that nobody empties
}

void Listener::close_all() {
  stop_accepting();
  is_draining_ = true;
  on_handed_over();
  while (!clients_.empty()) clients_.back()->close_now();
}

}  // namespace weir
