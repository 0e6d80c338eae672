#include "discovery/port_choice.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "lb/net/socket.h"

namespace weir {
namespace {

constexpr uint32_t kResidues = 64;  // replicas of a job on one node that never try the same port
constexpr uint32_t kTries = 400;
constexpr std::array kCandidates = {PortRange{61001, 64999}, PortRange{33000, 60999},
                                    PortRange{10000, 19999}};

bool overlap(PortRange a, PortRange b) {
  return a.low <= b.high && b.low <= a.high;
}

// Spreads seeds that differ little.
uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

bool can_bind(int family, const sockaddr* address, socklen_t length, bool v6_only) {
  const UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return true;  // no such family here: nobody else listens on it either
  const int on = 1;
  // As servers do: without it a connection in TIME_WAIT would make a good port look taken.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (v6_only) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd.get(), address, length) != 0) return errno == EADDRNOTAVAIL;
  // With SO_REUSEADDR two may bind as long as none listens; listening is what a server will do.
  return ::listen(fd.get(), 1) == 0;
}

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
  PortRange range;
  const char* const end = text.data() + text.size();
  const auto low = std::from_chars(text.data(), end, range.low);
  if (low.ec != std::errc()) return {};
  const char* next = low.ptr;
  while (next != end && (*next == ' ' || *next == '\t')) ++next;
  const auto high = std::from_chars(next, end, range.high);
  if (high.ec != std::errc() || range.high < range.low) return {};
  return range;
}

PortRange listening_range(PortRange ephemeral) {
  for (const PortRange candidate : kCandidates) {
    if (!overlap(candidate, ephemeral)) return candidate;
  }
  return kCandidates[0];  // the kernel uses nearly all: a clash is survived by trying another port
}

uint16_t nth_port(PortRange range, uint32_t number, uint32_t seed, uint32_t n) {
  const uint32_t rows = (uint32_t{range.high} - range.low + 1) / kResidues;
  const uint32_t row = (mix(seed) + n) % rows;
  return static_cast<uint16_t>(range.low + row * kResidues + number % kResidues);
}

uint16_t nth_vllm_port(uint32_t number, uint32_t seed, uint32_t n) {
  constexpr uint32_t kBases = 240;
  return static_cast<uint16_t>(20000 + (mix(seed) + number + n * kResidues) % kBases * 50);
}

bool is_port_free(uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  return can_bind(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4, false) &&
         can_bind(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof v6, true);
}

std::optional<uint16_t> find_free_port(PortRange range, uint32_t number, uint32_t seed) {
  for (uint32_t n = 0; n < kTries; ++n) {
    const uint16_t port = nth_port(range, number, seed, n);
    if (is_port_free(port)) return port;
  }
  return {};
}

std::optional<uint16_t> find_vllm_port(uint32_t number, uint32_t seed) {
  for (uint32_t n = 0; n < 16; ++n) {
    const uint16_t port = nth_vllm_port(number, seed, n);
    if (is_port_free(port)) return port;
  }
  return {};
}

}  // namespace weir
