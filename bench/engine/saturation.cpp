#include "bench/engine/saturation.h"

#include <cmath>

namespace weir {
namespace {

constexpr size_t kLeastSeconds = 5;
constexpr double kShare = 0.2;
constexpr double kDeviations = 4;

}  // namespace

// A queue that keeps up varies by about the root of what passes through it.
bool is_over_saturated(std::span<const uint32_t> in_flight, std::span<const uint64_t> ended) {
  const size_t seconds = in_flight.size();
  const size_t begin = seconds / 2;
  if (seconds != ended.size() || seconds - begin < kLeastSeconds) return false;
  const double grown = static_cast<double>(in_flight[seconds - 1]) - in_flight[begin];
  const double done = static_cast<double>(ended[seconds - 1] - ended[begin]);
  const double came = grown + done;
  return grown > kShare * came && grown > kDeviations * std::sqrt(came);
}

}  // namespace weir
