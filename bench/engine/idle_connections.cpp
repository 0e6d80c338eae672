#include "bench/engine/idle_connections.h"

#include <algorithm>

namespace weir {
namespace {

constexpr Duration kMostIdle = std::chrono::seconds(4);

}  // namespace

IdleConnections::IdleConnections(EventLoop& loop, const RunPlan& plan)
    : loop_(loop), plan_(plan), idle_(plan.targets.size()) {}

IdleConnections::~IdleConnections() = default;

std::unique_ptr<BackendConnection> IdleConnections::get(uint16_t target, bool may_reuse,
                                                        BackendConnectionUser& user) {
  auto& idle = idle_[target];
  if (may_reuse && !idle.empty()) {
    std::unique_ptr<BackendConnection> connection = std::move(idle.back());
    idle.pop_back();
    if (loop_.now() - connection->idle_since() < kMostIdle) {
      connection->take(user);
      return connection;
    }
    discard(std::move(connection));
  }
  auto connection = std::make_unique<BackendConnection>(loop_, blocks_, target + 1, target);
  connection->connect(plan_.targets[target].addresses, plan_.load.connect_timeout, user);
  return connection;
}

void IdleConnections::give_back(std::unique_ptr<BackendConnection> connection) {
  if (connection->stream().has_hangup()) return discard(std::move(connection));
  connection->make_idle(bind<&IdleConnections::on_idle_event>(this), loop_.now());
  idle_[connection->slot()].push_back(std::move(connection));
}

void IdleConnections::discard(std::unique_ptr<BackendConnection> connection) {
  if (!connection) return;
  connection->close();
  loop_.retire(std::move(connection));
}

// The other side closed it, or sent what nobody asked for.
void IdleConnections::on_idle_event(BackendConnection* connection) {
  auto& idle = idle_[connection->slot()];
  const auto is_it = [connection](const auto& one) { return one.get() == connection; };
  const auto found = std::ranges::find_if(idle, is_it);
  if (found == idle.end()) return;
  std::unique_ptr<BackendConnection> gone = std::move(*found);
  idle.erase(found);
  discard(std::move(gone));
}

void IdleConnections::close_old() {
  for (auto& idle : idle_) {
    while (!idle.empty() && loop_.now() - idle.front()->idle_since() >= kMostIdle) {
      std::unique_ptr<BackendConnection> old = std::move(idle.front());
      idle.erase(idle.begin());
      discard(std::move(old));
    }
  }
}

}  // namespace weir
