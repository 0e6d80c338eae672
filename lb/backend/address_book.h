// Where each backend is, by its written address: filled by the directory before the balancer hands
// out leases of a backend, asked by the connection pools of all workers. Thread-safe; one a
// service, outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "weir/address.h"
#include "weir/backend_set.h"

#include "lb/net/socket.h"

namespace weir {

using SocketAddresses = std::shared_ptr<const std::vector<SocketAddress>>;

class AddressBook {
 public:
  AddressBook() = default;
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  void put(const Address& address, SocketAddresses where);
  // Forgets what no backend of the set has.
  void retain(const BackendSet& set);

  // nullptr: unknown, or its name does not resolve.
  SocketAddresses find(const Address& address) const;
  // Another number after each change: while it is the same, what find() said holds.
  uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::map<Address, SocketAddresses> entries_;  // guarded by mutex_
  std::atomic<uint64_t> generation_{1};
};

}  // namespace weir
