// A range of IP addresses, written as "10.0.0.0/8", "fd00::/8" or one address. Value type, any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"

namespace weir {

// The bytes of an address in numbers, as inet_pton reads it; IPv4 written in IPv6
// ("::ffff:10.0.0.1") is IPv4.
struct IpBytes {
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;  // 4, 16, or 0: the text was no address
  bool operator==(const IpBytes&) const = default;
};
IpBytes read_ip(std::string_view text) noexcept;

class Subnet {
 public:
  // Bits of the host part must be zero: "10.0.0.1/8" is more likely a mistake than a wish.
  static Result<Subnet, Problem> parse(std::string_view text);

  // `host` is an address in numbers. False for anything else.
  bool contains(std::string_view host) const noexcept;

  const std::string& to_string() const { return text_; }  // with its prefix
  bool operator==(const Subnet&) const = default;

 private:
  IpBytes base_;
  size_t prefix_ = 0;
  std::string text_;
};

}  // namespace weir
