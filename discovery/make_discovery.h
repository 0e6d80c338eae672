// What the config or the command line says about a source of backends -> the source. Loop thread
// only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "weir/discovery.h"
#include "weir/result.h"

#include "lb/net/event_loop.h"

namespace weir {

struct DiscoveryRequest {
  std::string what;  // a file, a directory or a pattern of files
  Duration interval = std::chrono::seconds(2);
  std::vector<uint32_t> owners;  // uids whose files are believed, beside our own
};

// Names itself "file:PATH" towards its sink.
Result<std::unique_ptr<Discovery>, Problem> make_discovery(EventLoop& loop,
                                                           const DiscoveryRequest& request);

}  // namespace weir
