// `weir status`: asks running instances for what they see and prints it. A process of its own:
// blocks. Main thread.
#pragma once

#include <cstdint>
#include <string>

#include "weir/timer.h"

namespace weir {

struct StatusOptions {
  static constexpr uint32_t kNoWait = 0;
  std::string instance;  // a pid or an instance's name; empty = the one that runs
  std::string file;      // a published file; empty = the sockets of this user
  std::string admin;     // an admin address (TCP or unix:); empty = look for sockets
  bool json = false;
  bool watch = false;             // again every second until interrupted
  uint32_t wait_ready = kNoWait;  // until so many backends are ready
  Duration timeout{};             // of wait_ready; zero = for ever
};

// 0 = printed (or ready), 5 = nothing reachable, 6 = timed out waiting, 2 = several run and none
// was chosen, 130 = interrupted.
int run_status(const StatusOptions& options);

}  // namespace weir
