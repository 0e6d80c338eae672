#include "lb/app/descriptor_limit.h"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr uint64_t kReserve = 48;
constexpr uint64_t kLeast = 64;
constexpr uint64_t kPerClient = 2;

}  // namespace

Result<uint32_t, Problem> room_for_clients(uint64_t limit, uint32_t max_connections) {
  const char* const raise =
      "raise the hard limit (ulimit -Hn in a shell, LimitNOFILE= of a systemd unit)";
  if (limit < kLeast) {
    return Problem{
        fmt::format("this process may open {} files, and needs {} to serve", limit, kLeast), raise};
  }
  const uint64_t fitting =
      std::min<uint64_t>((limit - kReserve) / kPerClient, std::numeric_limits<uint32_t>::max());
  if (max_connections == 0) return static_cast<uint32_t>(fitting);
  if (max_connections <= fitting) return max_connections;
  return Problem{fmt::format("max_connections {} needs {} open files, and this process may open {}",
                             max_connections, max_connections * kPerClient + kReserve, limit),
                 fmt::format("{}, or set max_connections to {}", raise, fitting)};
}

}  // namespace weir
