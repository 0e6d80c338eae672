#include "weir/address.h"

#include <algorithm>

namespace weir {
namespace {

Problem bad(std::string_view text, std::string_view why) {
  return Problem{"bad address \"" + std::string(text) + "\": " + std::string(why),
                 "write host:port, [::1]:port or unix:/path"};
}

// A decimal from 1 to 65535 and nothing else.
bool parse_port(std::string_view text, uint16_t* port) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > 65535) return false;
  *port = static_cast<uint16_t>(value);
  return true;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_ipv6_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.' || c == '%' || is_host_char(c);
}

Result<Address, Problem> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(5);
  if (path.empty() || path.front() != '/') return bad(text, "a unix socket needs an absolute path");
  if (path.size() > 107) return bad(text, "the path of a unix socket has at most 107 bytes");
  return Address{std::string(path), 0, true};
}

// As it may be shown: a password in a URL must not reach a log.
std::string without_user(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const size_t scheme = text.find("://");
  const size_t begin = scheme != std::string_view::npos && scheme < at ? scheme + 3 : 0;
  return std::string(text.substr(0, begin)) + "***" + std::string(text.substr(at));
}

enum class PortZero : uint8_t { refused, taken };

Result<Address, Problem> parse(std::string_view text, uint16_t default_port, PortZero zero) {
  if (text.starts_with("unix:")) return parse_unix(text);
  std::string_view host = text;
  std::string_view port_text;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return bad(text, "\"[\" without \"]\"");
    host = text.substr(1, end - 1);
    if (host.find(':') == std::string_view::npos || !std::ranges::all_of(host, is_ipv6_char)) {
      return bad(text, "no IPv6 address between the brackets");
    }
    const std::string_view rest = text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return bad(text, "unexpected text behind \"]\"");
    if (has_port) port_text = rest.substr(1);
  } else {
    const size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) {
      host = text.substr(0, colon);
      port_text = text.substr(colon + 1);
      if (port_text.find(':') != std::string_view::npos) {
        return bad(text, "an IPv6 address needs brackets");
      }
    }
    if (!std::ranges::all_of(host, is_host_char) || host.size() > 253) {
      return bad(text, "this is not a host name");
    }
  }
  uint16_t port = default_port;
  if (has_port && zero == PortZero::taken && port_text == "0") {
    port = 0;
  } else if (has_port && !parse_port(port_text, &port)) {
    return bad(text, "the port must be 1 to 65535");
  }
  if (!has_port && default_port == 0) return bad(text, "the port is missing");
  if (!has_port && host.empty()) return bad(text, "it is empty");
  return Address{std::string(host), port, false};
}

}  // namespace

Result<Address, Problem> parse_address(std::string_view text, uint16_t default_port) {
  return parse(text, default_port, PortZero::refused);
}

Result<Address, Problem> parse_listen_address(std::string_view text, uint16_t default_port) {
  return parse(text, default_port, PortZero::taken);
}

std::string to_string(const Address& address) {
  if (address.is_unix) return "unix:" + address.host;
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<Address, Problem> parse_backend_url(std::string_view text) {
  const std::string backend = "backend " + without_user(text);
  if (text.starts_with("https://")) {
    return Problem{backend + ": https backends are not supported",
                   "give the http:// address of the server"};
  }
  std::string_view rest = text;
  uint16_t default_port = 0;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    default_port = 80;
  } else if (rest.find("://") != std::string_view::npos) {
    return Problem{backend + ": unknown scheme", "write http://host:port, host:port or unix:/path"};
  }
  if (rest.starts_with("unix:")) return parse_address(rest);
  if (rest.find('@') != std::string_view::npos) {
    return Problem{backend + ": user names in a URL are not supported", "write http://host:port"};
  }
  const size_t slash = rest.find_first_of("/?#");
  if (slash != std::string_view::npos) {
    const std::string_view path = rest.substr(slash);
    if (path != "/" && path != "/v1" && path != "/v1/") {
      return Problem{backend + ": a path is not supported here",
                     "write http://host:port; requests keep the path they came with"};
    }
    rest = rest.substr(0, slash);
  }
  Result<Address, Problem> address = parse_address(rest, default_port);
  if (address && address->host.empty()) {
    return Problem{backend + ": the host is missing", "write http://host:port"};
  }
  return address;
}

}  // namespace weir
