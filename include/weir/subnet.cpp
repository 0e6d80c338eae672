#include "weir/subnet.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir {
namespace {

// The 4 or 16 bytes of an address in numbers; 0 = it is none.
size_t read_address(std::string_view text, std::array<uint8_t, 16>* bytes) noexcept {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof copy) return 0;
  std::memcpy(copy, text.data(), text.size());
  if (::inet_pton(AF_INET, copy, bytes->data()) == 1) return 4;
  if (::inet_pton(AF_INET6, copy, bytes->data()) != 1) return 0;
  constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes->data(), kMapped, sizeof kMapped) != 0) return 16;
  std::memmove(bytes->data(), bytes->data() + 12, 4);
  return 4;
}

bool same_prefix(const uint8_t* a, const uint8_t* b, size_t bits) noexcept {
  const size_t whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  const size_t rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

Result<Subnet, Problem> Subnet::parse(std::string_view text) {
  const size_t slash = text.find('/');
  Subnet out;
  const size_t size = read_address(text.substr(0, slash), &out.bytes_);
  const std::string quoted = "\"" + std::string(text.substr(0, 64)) + "\"";
  if (size == 0)
    return Problem{quoted + " is no range of addresses", "write it like 10.0.0.0/8 or fd00::/8"};
  out.is_v6_ = size == 16;
  size_t prefix = size * 8;
  if (slash != std::string_view::npos) {
    const char* const begin = text.data() + slash + 1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(begin, end, prefix);
    if (error != std::errc() || stop != end || prefix > size * 8)
      return Problem{quoted + ": the part behind the slash is 0 to " + std::to_string(size * 8),
                     "write it like 10.0.0.0/8 or fd00::/8"};
  }
  out.prefix_ = static_cast<uint8_t>(prefix);
  for (size_t bit = prefix; bit < size * 8; ++bit) {
    if (((out.bytes_[bit / 8] >> (7 - bit % 8)) & 1) != 0)
      return Problem{quoted + " has bits behind its /" + std::to_string(prefix),
                     "leave out the slash for one address, or write zeros"};
  }
  std::fill(out.bytes_.data() + size, out.bytes_.data() + out.bytes_.size(), uint8_t{0});
  return out;
}

bool Subnet::contains(std::string_view host) const noexcept {
  std::array<uint8_t, 16> bytes{};
  const size_t size = read_address(host, &bytes);
  if (size != (is_v6_ ? 16u : 4u)) return false;
  return same_prefix(bytes.data(), bytes_.data(), prefix_);
}

std::string Subnet::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(is_v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(prefix_);
}

}  // namespace weir
