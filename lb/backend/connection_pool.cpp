#include "lb/backend/connection_pool.h"

#include <algorithm>

namespace weir {
namespace {

// A sweep looks at all of them, so it comes no sooner after the last one.
constexpr Duration kSweepPause = std::chrono::milliseconds(250);

}  // namespace

ConnectionPool::ConnectionPool(EventLoop& loop, BlockPool& blocks, const AddressBook& addresses,
                               const ConnectionPoolOptions& options)
    : loop_(loop),
      blocks_(blocks),
      book_(addresses),
      options_(options),
      sweep_(loop.timers(), bind<&ConnectionPool::on_sweep>(this)) {}

ConnectionPool::~ConnectionPool() = default;

// What is left in it of an earlier backend in the same slot is closed.
ConnectionPool::Slot& ConnectionPool::slot_of(const Lease& lease) {
  if (lease.slot() >= slots_.size()) slots_.resize(lease.slot() + 1);
  Slot& entry = slots_[lease.slot()];
  if (entry.serial != lease.serial()) {
    clear(entry);
    entry.serial = lease.serial();
    entry.generation = 0;
  }
  return entry;
}

void ConnectionPool::clear(Slot& slot) {
  count_idle(idle() - slot.idle.size());
  for (std::unique_ptr<BackendConnection>& connection : slot.idle) discard(std::move(connection));
  slot.idle.clear();
}

std::unique_ptr<BackendConnection> ConnectionPool::get(const Lease& lease, bool may_reuse,
                                                       BackendConnectionUser& user) {
  Slot& entry = slot_of(lease);
  if (may_reuse && !entry.idle.empty()) {
    std::unique_ptr<BackendConnection> connection = std::move(entry.idle.back());
    entry.idle.pop_back();
    count_idle(idle() - 1);
    if (loop_.now() - connection->idle_since() < options_.idle_timeout) {
      connection->take(user);
      return connection;
    }
    discard(std::move(connection));
    clear(entry);  // the others are older still
  }
  if (const uint64_t generation = book_.generation(); entry.generation != generation) {
    entry.addresses = book_.find(lease.backend().address);
    entry.generation = generation;
  }
  auto connection =
      std::make_unique<BackendConnection>(loop_, blocks_, lease.serial(), lease.slot());
  connection->connect(entry.addresses, options_.connect_timeout, user);
  return connection;
}

void ConnectionPool::give_back(std::unique_ptr<BackendConnection> connection) {
  const bool is_current = connection->slot() < slots_.size() &&
                          slots_[connection->slot()].serial == connection->serial();
  if (!is_current || connection->stream().has_hangup() || connection->stream().is_readable() ||
      slots_[connection->slot()].idle.size() >= options_.idle_per_backend) {
    discard(std::move(connection));
    return;
  }
  connection->make_idle(bind<&ConnectionPool::on_idle_event>(this), loop_.now());
  slots_[connection->slot()].idle.push_back(std::move(connection));
  count_idle(idle() + 1);
  if (!sweep_.is_armed()) sweep_.start(options_.idle_timeout);
}

void ConnectionPool::discard(std::unique_ptr<BackendConnection> connection) {
  connection->close();
  loop_.retire(std::move(connection));
}

// A byte, a FIN or a reset while idle: whatever it is, the connection is of no use any more. A
// spurious edge (the socket became writable) is told apart by looking.
void ConnectionPool::on_idle_event(BackendConnection* connection) {
  Stream& stream = connection->stream();
  if (!stream.has_hangup() && !stream.is_readable()) return;
  auto& kept = slots_[connection->slot()].idle;
  const auto it = std::ranges::find(kept, connection, &std::unique_ptr<BackendConnection>::get);
  if (it == kept.end()) return;
  std::unique_ptr<BackendConnection> owned = std::move(*it);
  kept.erase(it);
  count_idle(idle() - 1);
  discard(std::move(owned));
}

// Again when the oldest of those that are left has been idle for too long.
void ConnectionPool::on_sweep() {
  TimePoint oldest = TimePoint::max();
  for (Slot& slot : slots_) {
    const auto is_young = [this](const std::unique_ptr<BackendConnection>& connection) {
      return loop_.now() - connection->idle_since() < options_.idle_timeout;
    };
    const auto first_young = std::ranges::find_if(slot.idle, is_young);
    count_idle(idle() - static_cast<size_t>(first_young - slot.idle.begin()));
    for (auto it = slot.idle.begin(); it != first_young; ++it) discard(std::move(*it));
    slot.idle.erase(slot.idle.begin(), first_young);
    if (!slot.idle.empty()) oldest = std::min(oldest, slot.idle.front()->idle_since());
  }
  if (idle() == 0) return;
  sweep_.start_at(std::max(oldest + options_.idle_timeout, loop_.now() + kSweepPause));
}

void ConnectionPool::close_idle() {
  for (Slot& slot : slots_) clear(slot);
}

}  // namespace weir
