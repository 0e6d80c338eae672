// How a backend is chosen among those that may be given work. Value type, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class PolicyName : uint8_t { least_outstanding, round_robin, random, two_choices };

constexpr std::string_view to_string(PolicyName policy) noexcept {
  switch (policy) {
    case PolicyName::least_outstanding:
      return "least_outstanding";
    case PolicyName::round_robin:
      return "round_robin";
    case PolicyName::random:
      return "random";
    case PolicyName::two_choices:
      return "two_choices";
  }
  return "unknown";
}

}  // namespace weir
