#include "lb/proxy/request_ids.h"

#include <sys/random.h>
#include <time.h>

#include <bit>

namespace weir {

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
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; ++i) {
    text_[i] = kHex[(high >> (60 - 4 * i)) & 15];
    text_[16 + i] = kHex[(low >> (60 - 4 * i)) & 15];
  }
  return {text_.data(), text_.size()};
}

}  // namespace weir
