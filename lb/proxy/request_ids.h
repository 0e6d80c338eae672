// Ids for requests that bring none: 32 hex digits, the first 12 of them milliseconds since the
// epoch, so that they sort by time as UUIDv7 does. One a worker; not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

class RequestIds {
 public:
  static constexpr size_t kLength = 32;

  RequestIds();  // seeds itself from the kernel
  // Valid until the next call.
  std::string_view next();

 private:
  uint64_t random();

  std::array<uint64_t, 2> state_;
  std::array<char, kLength> text_;
};

}  // namespace weir
