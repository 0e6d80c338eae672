#include "lb/proxy/request_ids.h"

#include <sys/random.h>
#include <time.h>

#include <bit>
#include <cstring>

namespace weir {
namespace {

// Sixteen hex digits, eight at a time: one nibble a byte, then '0' or 'a' - 10 on top.
void put_hex(uint64_t value, char* out) {
  for (const int shift : {32, 0}) {
    uint64_t nibbles = value >> shift & 0xffffffff;
    nibbles = (nibbles | nibbles << 16) & 0x0000ffff0000ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff00ff00ff00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f0f0f0f0f0f0f;
    const uint64_t letters = (nibbles + 0x0606060606060606) >> 4 & 0x0101010101010101;
    const uint64_t text = nibbles + 0x3030303030303030 + letters * ('a' - '0' - 10);
    const uint64_t in_order = __builtin_bswap64(text);
    std::memcpy(out, &in_order, sizeof in_order);
    out += sizeof in_order;
  }
}

}  // namespace

RequestIds::RequestIds() {
  if (::getrandom(state_.data(), sizeof state_, 0) != sizeof state_) {
    state_ = {0x9e3779b97f4a7c15, static_cast<uint64_t>(::time(nullptr))};
  }
}

// xoroshiro128++: unique is all that is asked of it.
uint64_t RequestIds::random() {
  const uint64_t a = state_[0];
  uint64_t b = state_[1];
  const uint64_t result = std::rotl(a + b, 17) + a;
  b ^= a;
  state_[0] = std::rotl(a, 49) ^ b ^ (b << 21);
  state_[1] = std::rotl(b, 28);
  return result;
}

std::string_view RequestIds::next() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const auto ms =
      static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
  const uint64_t high = (ms << 16) | (random() & 0xffff);
  const uint64_t low = random();
  put_hex(high, text_.data());
  put_hex(low, text_.data() + 16);
  return {text_.data(), text_.size()};
}

}  // namespace weir
