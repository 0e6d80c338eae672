#include "lb/admin/admin_listener.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>

#include "lb/admin/admin_connection.h"

namespace weir {
namespace {

constexpr int kBacklog = 64;
constexpr Duration kPause = std::chrono::milliseconds(200);
constexpr size_t kAnswerMemory = size_t{64} << 20;  // of all connections together

}  // namespace

AdminListener::AdminListener(EventLoop& loop, const LiveView& view, const MetricsSource& metrics)
    : loop_(loop),
      view_(view),
      metrics_(metrics),
      blocks_(kAnswerMemory),
      pause_(loop.timers(), bind<&AdminListener::on_pause_over>(this)) {}

AdminListener::~AdminListener() {
  stop();
}

void AdminListener::allow_actions(AdminActions& actions, std::string token) {
  actions_ = &actions;
  token_ = std::move(token);
}

Result<Ok, Problem> AdminListener::start(const Address& address) {
  const Result<std::vector<SocketAddress>, Problem> where = resolve(address);
  if (!where) return Problem{"admin: " + where.error().what, where.error().help};
  Result<UniqueFd, Problem> fd = listen_on(where->front(), kBacklog);
  if (!fd) return Problem{"admin: " + fd.error().what, fd.error().help};
  fd_ = std::move(*fd);
  address_ = address;
  if (!address_.is_unix) address_.port = local_address(fd_.get()).port();
  if (event_.add_level_readable(loop_, fd_.get(), bind<&AdminListener::on_acceptable>(this)))
    return Ok{};
  stop();
  return Problem{"admin: the kernel refuses to watch " + to_string(address), ""};
}

void AdminListener::stop() {
  pause_.cancel();
  event_.remove();
  if (fd_ && address_.is_unix) ::unlink(address_.host.c_str());
  fd_.reset();
  for (std::unique_ptr<AdminConnection>& connection : connections_) {
    connection->close();
    loop_.retire(std::move(connection));
  }
  connections_.clear();
}

void AdminListener::on_closed(AdminConnection& connection) {
  const auto found =
      std::ranges::find(connections_, &connection, &std::unique_ptr<AdminConnection>::get);
  if (found == connections_.end()) return;
  loop_.retire(std::move(*found));
  connections_.erase(found);
}

void AdminListener::on_acceptable(Readiness) {
  SocketAddress peer;
  Result<UniqueFd> fd = accept_from(fd_.get(), &peer);
  if (!fd) {
    const int error = fd.error().os_error;
    if (error == EAGAIN || error == ECONNABORTED || error == EINTR) return;
    event_.remove();
    pause_.start(kPause);
    return;
  }
  if (connections_.size() >= kMostConnections) return;  // one too many is closed at once
  auto connection = std::make_unique<AdminConnection>(loop_, blocks_, *this);
  if (connection->open(std::move(*fd))) connections_.push_back(std::move(connection));
}

void AdminListener::on_pause_over() {
  if (event_.add_level_readable(loop_, fd_.get(), bind<&AdminListener::on_acceptable>(this)))
    return;
  pause_.start(kPause);
}

}  // namespace weir
