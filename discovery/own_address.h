// The IPv4 address by which other nodes reach this one. Asks the kernel only, sends nothing,
// resolves no name. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct InterfaceAddress {
  std::string name;     // "eth0"
  std::string address;  // "10.0.0.1"
};

// The best of what the node has: no loopback, no link-local, no bridges of containers; RFC 1918
// first. Empty = none. Pure.
std::string best_address(const std::vector<InterfaceAddress>& addresses);

// The address the kernel would speak from when it talks to `toward` (IPv4, may be empty), unless
// that is loopback; else the best one; else loopback when `toward` is loopback itself; else empty.
std::string own_address(std::string_view toward);

}  // namespace weir
