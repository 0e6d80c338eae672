// Where something listens: host and TCP port, or the path of a unix socket. Parses, prints,
// compares; resolves nothing. Value type, any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"

namespace weir {

struct Address {
  std::string host;   // name, IPv4 or IPv6 literal without brackets; the path when unix
  uint16_t port = 0;  // 0 when unix
  bool is_unix = false;

  auto operator<=>(const Address&) const = default;
};

// "host:8000", "10.0.0.1:8000", "[::1]:8000", ":8000" (host empty: all addresses), "unix:/path". A
// missing port is an error unless default_port is given (not 0).
Result<Address, Problem> parse_address(std::string_view text, uint16_t default_port = 0);

// The same for where to listen: port 0 stands for one that the kernel chooses.
Result<Address, Problem> parse_listen_address(std::string_view text, uint16_t default_port = 0);

// The inverse: "[::1]:8000", "unix:/run/x.sock".
std::string to_string(const Address& address);

// "http://host:port[/]" or what parse_address takes. Paths, queries, user info and https are errors
// that say so.
// "/v1" and "/v1/" at the end are taken and dropped: people paste base URLs.
Result<Address, Problem> parse_backend_url(std::string_view text);

}  // namespace weir
