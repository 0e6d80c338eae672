// Ports for a replica: one for HTTP outside the range from which the kernel takes the ports of
// outgoing connections, and a base of its own for vLLM's internal ones. The range arithmetic is
// pure; find_free_port binds. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

struct PortRange {
  uint16_t low = 0;
  uint16_t high = 0;  // included
  bool operator==(const PortRange&) const = default;
};

// The text of /proc/sys/net/ipv4/ip_local_port_range: "32768\t60999".
std::optional<PortRange> parse_port_range(std::string_view text);

// Where replicas may listen: 61001-64999 unless the kernel uses some of that, then the widest of
// our candidates beside it.
PortRange listening_range(PortRange ephemeral);

// The n-th port to try. Replicas of a job on one node (`number` in the run) take different
// residues, so that two which look at the same time do not find the same port.
uint16_t nth_port(PortRange range, uint32_t number, uint32_t seed, uint32_t n);

// The n-th base for VLLM_PORT to try, 50 apart, in 20000-31999.
uint16_t nth_vllm_port(uint32_t number, uint32_t seed, uint32_t n);

bool is_port_free(uint16_t port);  // binds the wildcard and lets go

std::optional<uint16_t> find_free_port(PortRange range, uint32_t number, uint32_t seed);
std::optional<uint16_t> find_vllm_port(uint32_t number, uint32_t seed);

}  // namespace weir
