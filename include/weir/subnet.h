// A range of IP addresses, written as "10.0.0.0/8", "fd00::/8" or one address. Value type, any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"

namespace weir {

class Subnet {
 public:
  // Bits of the host part must be zero: "10.0.0.1/8" is more likely a mistake than a wish.
  static Result<Subnet, Problem> parse(std::string_view text);

  // `host` is an address in numbers, as SocketAddress::host() writes it; IPv4 in IPv6
  // ("::ffff:10.0.0.1") counts as IPv4. False for anything else.
  bool contains(std::string_view host) const noexcept;

  std::string to_string() const;
  bool operator==(const Subnet&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
  bool is_v6_ = false;
  uint8_t prefix_ = 0;
};

}  // namespace weir
