#include "lb/backend/address_book.h"

#include <string.h>

#include <algorithm>
#include <set>

namespace weir {
namespace {

bool is_same_place(const SocketAddress& a, const SocketAddress& b) {
  return a.length == b.length && ::memcmp(&a.storage, &b.storage, a.length) == 0;
}

bool are_same(const SocketAddresses& a, const SocketAddresses& b) {
  return a == b || (a && b && std::ranges::equal(*a, *b, is_same_place));
}

}  // namespace

void AddressBook::put(const Address& address, SocketAddresses where) {
  const std::lock_guard lock(mutex_);
  SocketAddresses& entry = entries_[address];
  if (are_same(entry, where)) return;
  entry = std::move(where);
  generation_.fetch_add(1, std::memory_order_release);
}

void AddressBook::retain(const BackendSet& set) {
  std::set<Address> wanted;
  for (const BackendSpec& spec : set.backends()) wanted.insert(spec.address);
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&wanted](const auto& entry) { return !wanted.contains(entry.first); });
}

SocketAddresses AddressBook::find(const Address& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(address);
  return found == entries_.end() ? nullptr : found->second;
}

}  // namespace weir
