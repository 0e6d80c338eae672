#include "weir/subnet.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

constexpr std::string_view kHelp = "write it like 10.0.0.0/8 or fd00::/8";

// All of the text is a number of at most `most`, in at most `digits` digits.
template <typename T>
bool read_number(std::string_view text, int base, size_t digits, T most, T* out) noexcept {
  if (text.empty() || text.size() > digits) return false;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *out, base);
  return error == std::errc() && stop == end && *out <= most;
}

bool read_v4(std::string_view text, uint8_t* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    const size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const std::string_view part = text.substr(0, dot);
    unsigned value = 0;
    if (!read_number(part, 10, 3, 255U, &value)) return false;
    if (part.size() > 1 && part.front() == '0') return false;  // octal to some readers
    out[i] = static_cast<uint8_t>(value);
    text.remove_prefix(i < 3 ? dot + 1 : dot);
  }
  return true;
}

// Groups of one side of "::", the last of them maybe an IPv4 address. The bytes, or -1.
int read_groups(std::string_view text, uint8_t* out) noexcept {
  int size = 0;
  while (!text.empty()) {
    const size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      return size <= 12 && read_v4(group, out + size) ? size + 4 : -1;
    }
    unsigned value = 0;
    if (size == 16 || !read_number(group, 16, 4, 0xffffU, &value)) return -1;
    out[size++] = static_cast<uint8_t>(value >> 8);
    out[size++] = static_cast<uint8_t>(value & 0xff);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return -1;  // ended in one colon
  }
  return size;
}

bool read_v6(std::string_view text, uint8_t* out) noexcept {
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) return read_groups(text, out) == 16;
  std::array<uint8_t, 16> tail{};
  const int left = read_groups(text.substr(0, gap), out);
  const int right = read_groups(text.substr(gap + 2), tail.data());
  // An IPv4 address stands at the end only, and the gap is for one group at least.
  const bool is_left_plain = text.substr(0, gap).find('.') == std::string_view::npos;
  if (left < 0 || right < 0 || !is_left_plain || left + right > 14) return false;
  std::fill(out + left, out + 16, uint8_t{0});
  std::copy(tail.data(), tail.data() + right, out + 16 - right);
  return true;
}

bool has_same_prefix(const IpBytes& a, const IpBytes& b, size_t bits) noexcept {
  const size_t whole = bits / 8;
  if (!std::equal(a.bytes.data(), a.bytes.data() + whole, b.bytes.data())) return false;
  const size_t rest = bits % 8;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace

IpBytes read_ip(std::string_view text) noexcept {
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  IpBytes out;
  if (read_v4(text, out.bytes.data())) {
    out.size = 4;
    return out;
  }
  out = {};
  if (!read_v6(text, out.bytes.data())) return {};
  out.size = 16;
  if (!std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) return out;
  IpBytes mapped;
  mapped.size = 4;
  std::copy(out.bytes.data() + 12, out.bytes.data() + 16, mapped.bytes.data());
  return mapped;
}

Result<Subnet, Problem> Subnet::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string quoted = "\"" + std::string(text.substr(0, 64)) + "\"";
  Subnet out;
  out.base_ = read_ip(text.substr(0, slash));
  const size_t bits = out.base_.size * 8;
  if (bits == 0) return Problem{quoted + " is no range of addresses", std::string(kHelp)};
  out.prefix_ = bits;
  if (slash != std::string_view::npos &&
      !read_number(text.substr(slash + 1), 10, 3, bits, &out.prefix_)) {
    return Problem{quoted + ": the part behind the slash is 0 to " + std::to_string(bits),
                   std::string(kHelp)};
  }
  for (size_t bit = out.prefix_; bit < bits; ++bit) {
    if (((out.base_.bytes[bit / 8] >> (7 - bit % 8)) & 1) == 0) continue;
    return Problem{quoted + " has bits behind its /" + std::to_string(out.prefix_),
                   "leave out the slash for one address, or write zeros"};
  }
  out.text_ = std::string(text.substr(0, slash)) + "/" + std::to_string(out.prefix_);
  return out;
}

bool Subnet::contains(std::string_view host) const noexcept {
  const IpBytes ip = read_ip(host);
  return ip.size == base_.size && has_same_prefix(ip, base_, prefix_);
}

}  // namespace weir
