// Is the pool given more than it can take? Seen in what is in flight, second by second, of an open
// loop: it grows and grows. Pure.
#pragma once

#include <cstdint>
#include <span>

namespace weir {

// `in_flight` and `ended` (requests so far) at the end of each second. True when over the last half
// of the seconds (at least five) what is in flight grew by more than a fifth of the requests that
// came in that time, and by more than chance would.
bool is_over_saturated(std::span<const uint32_t> in_flight, std::span<const uint64_t> ended);

}  // namespace weir
