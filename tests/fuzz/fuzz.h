// What the fuzzers share: the entry point of libFuzzer, a check that stays in every build, and cuts
// into pieces taken from the input itself. Tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace weir::fuzz {

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void check(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "the property does not hold: %s\n", property);
  std::abort();
}

// Lengths of pieces from a seed; 0 = everything at once.
class Pieces {
 public:
  explicit Pieces(uint32_t seed) : state_(seed) {}
  size_t next(size_t left) {
    if (state_ == 0) return left;
    state_ = state_ * 1664525U + 1013904223U;
    const size_t length = 1 + (state_ >> 16) % ((state_ >> 8 & 3) == 0 ? 40 : 3);
    return length < left ? length : left;
  }

 private:
  uint32_t state_;
};

}  // namespace weir::fuzz
