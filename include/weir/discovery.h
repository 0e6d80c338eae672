// The contract of a source of backends: it publishes whole sets to a sink, and hears what became of
// its backends. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "weir/backend_set.h"

namespace weir {

class BackendSetSink {
 public:
  // A source's set replaces the one it published before.
  // `pending`: how many more backends may still come from this source (replicas starting or
  // restarting); while it is not 0, a pool that waits for its backends keeps its requests waiting.
  virtual void publish(std::string_view source, std::shared_ptr<const BackendSet> set,
                       size_t pending) = 0;

 protected:
  ~BackendSetSink() = default;
};

class Discovery {
 public:
  virtual ~Discovery() = default;
  // Begins to publish; never from within the call itself, always in a later turn of the loop.
  virtual void start(BackendSetSink& sink) = 0;
};

}  // namespace weir
