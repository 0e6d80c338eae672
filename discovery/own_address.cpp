#include "discovery/own_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include <ifaddrs.h>

#include "lb/net/socket.h"

namespace weir {
namespace {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.");
}

// Lower is better; 100 = never.
int rank(const InterfaceAddress& candidate) {
  const std::string_view address = candidate.address;
  if (is_loopback(address) || address.starts_with("169.254.") || address.starts_with("0."))
    return 100;
  int rank = 0;
  for (const std::string_view prefix : {"docker", "virbr", "veth", "br-", "cni", "podman", "lxc"}) {
    if (candidate.name.starts_with(prefix)) rank += 10;
  }
  in_addr parsed{};
  if (::inet_pton(AF_INET, candidate.address.c_str(), &parsed) != 1) return 100;
  const uint32_t ip = ntohl(parsed.s_addr);
  const bool is_private =
      (ip >> 24) == 10 || (ip >> 20) == ((172U << 4) | 1) || (ip >> 16) == ((192U << 8) | 168);
  return is_private ? rank : rank + 1;
}

std::vector<InterfaceAddress> interface_addresses() {
  std::vector<InterfaceAddress> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    addresses.push_back({entry->ifa_name, text.data()});
  }
  ::freeifaddrs(list);
  return addresses;
}

// connect() of a datagram socket sends nothing; it only chooses the route.
std::string address_toward(std::string_view toward) {
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(9);
  if (::inet_pton(AF_INET, std::string(toward).c_str(), &target.sin_addr) != 1) return {};
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0)
    return {};
  return local_address(fd.get()).host();
}

}  // namespace

std::string best_address(const std::vector<InterfaceAddress>& addresses) {
  const InterfaceAddress* best = nullptr;
  for (const InterfaceAddress& candidate : addresses) {
    if (rank(candidate) < 100 && (best == nullptr || rank(candidate) < rank(*best))) {
      best = &candidate;
    }
  }
  return best == nullptr ? std::string() : best->address;
}

std::string own_address(std::string_view toward) {
  const std::string routed = toward.empty() ? std::string() : address_toward(toward);
  if (!routed.empty() && !is_loopback(routed)) return routed;
  const std::string best = best_address(interface_addresses());
  if (!best.empty()) return best;
  return routed;
}

}  // namespace weir
