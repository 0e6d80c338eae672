// The backend of the comparison: one thread, an epoll of its own, any number of connections.
// Verifies every request body and answers what the head's X-Load asks for; streams are paced.
#pragma once

#include <cstdint>

namespace load_peers {

struct BackendOptions {
  int port = 0;      // 0: one that is free
  int seconds = 60;  // it ends then, whatever happens
};

// Prints `listening PORT`. Returns the exit code.
int run_backend(const BackendOptions& options);

}  // namespace load_peers
