// A backend as written down: where it is and what it may be given. Value type, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/address.h"

namespace weir {

// Names a backend within its pool: "n01-0", or "host:port" when nobody named it. Unique within a
// backend set.
using BackendId = std::string;

struct BackendSpec {
  BackendId id;
  Address address;
  std::vector<std::string> models;  // empty: whatever the pool serves
  uint32_t max_outstanding = 0;     // requests at once; 0 = the pool's default
  uint32_t weight = 1;
  std::string api_key;      // sent in place of the client's; empty = the client's passes
  std::string host_header;  // empty = the client's Host passes

  bool operator==(const BackendSpec&) const = default;
};

// Why a backend is or is not given work, in the words people see.
enum class BackendStateName : uint8_t {
  starting,  // its process is being started (launch)
  loading,   // refuses connections, or answers 503, and has never been ready
  untried,   // nothing known yet; a request may try it
  ready,
  suspect,   // a probe failed, but not yet often enough; or it holds requests and sends nothing
  ejected,   // failed too many requests in a row; will be tried again
  draining,  // finishes what it has, takes no more
  down,      // was ready and is no longer
  failed,    // given up: all restarts are spent
};
std::string_view to_string(BackendStateName state) noexcept;

}  // namespace weir
