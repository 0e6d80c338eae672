// `weir drain` and `weir undrain`: asks a running weir to take a backend out of work, or back. A
// process of its own: blocks. Main thread.
#pragma once

#include <string>

#include "weir/timer.h"

namespace weir {

struct DrainOptions {
  std::string backend;   // its name, or its address if no other has the same
  std::string instance;  // a pid or an instance's name; empty = the one that runs
  std::string admin;     // an admin address (TCP or unix:); empty = look for sockets
  bool is_drain = true;  // or undrain
  bool waits = false;    // until it has no requests; undrain: until it is ready
  Duration timeout{};    // of that; zero = for ever
};

// 0 = done, 1 = no such backend, or refused, 2 = several run and none was chosen, 5 = nothing
// reachable, 6 = timed out waiting. Over TCP the token comes from $WEIR_ADMIN_TOKEN.
int run_drain(const DrainOptions& options);

}  // namespace weir
