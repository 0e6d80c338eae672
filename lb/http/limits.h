// Limits of heads and framing, in bytes and counts; defaults as the field has them (HAProxy 16 KiB
// and about 100 fields, nginx 4 x 8 KiB). Values, any thread.
#pragma once

#include <cstddef>

namespace weir::http {

struct HeadLimits {
  size_t head_bytes = 32 * 1024;
  size_t target_bytes = 8 * 1024;
  size_t fields = 100;
};

inline constexpr size_t kMaxFields = 256;  // room in a parsed head; HeadLimits::fields may be lower
inline constexpr size_t kMaxChunkSizeDigits = 16;       // hex digits, leading zeros included
inline constexpr size_t kMaxChunkExtensionBytes = 256;  // per chunk line
inline constexpr size_t kMaxTrailerBytes = 8 * 1024;

}  // namespace weir::http
