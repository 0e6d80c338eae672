// Durations, sizes and counts as people write them: "250ms", "30s", "64KiB", "12"; and back. Pure;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"
#include "weir/timer.h"

namespace weir {

// A number (decimals allowed; rounded to milliseconds) with ms, s, m, h or d; several may follow
// each other: "1h30m". Never a bare number but "0". At most a thousand days.
Result<Duration, Problem> parse_duration(std::string_view text);

// A whole number with B, KiB, MiB, GiB (or KB, MB, GB: powers of ten). Never a bare number but "0".
// At most 1 TiB.
Result<size_t, Problem> parse_size(std::string_view text);

// Decimal digits and nothing else, from least to most.
Result<uint64_t, Problem> parse_count(std::string_view text, uint64_t least, uint64_t most);

// A number from 0 to 1, with decimals if need be.
Result<double, Problem> parse_share(std::string_view text);

// What parse_duration reads back to the same value: "250ms", "1h30m", "0".
std::string duration_text(Duration duration);
// "64KiB", "8MiB", "1000B"
std::string size_text(size_t size);
// The shortest text that is read back to the same number: "0.2", "1"
std::string share_text(double share);

}  // namespace weir
