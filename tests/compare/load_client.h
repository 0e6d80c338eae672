// The client of the comparison: one thread, an epoll of its own. Closed loop (each connection
// sends its next request when it has the answer of the last) or paced streams, all open at once.
// Verifies every byte of every body, and measures between two instants only.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/compare/messages.h"
#include "tests/compare/usage.h"

namespace load_peers {

class Backend;

struct ClientOptions {
  int port = 0;
  Work work = Work::json;
  int connections = 16;
  bool has_new_connection_each = false;
  int warm_ms = 300;
  int run_ms = 1000;
  int interval_ms = 20;  // between two events of a stream
  int cpu = -1;          // whose use by everybody is told; -1: not
  std::vector<Watched> watched;
};

// Prints one line of JSON. Returns 0, or 1 if a body or an answer was wrong. With a backend in this
// thread both are polled and never sleep.
int run_client(const ClientOptions& options, Backend* backend = nullptr);

}  // namespace load_peers
