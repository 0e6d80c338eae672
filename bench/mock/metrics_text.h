// What a pretend server counts, and its /metrics page under vLLM's names, with ours beside them.
// Loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct MockCounters {
  uint64_t connections = 0;    // accepted
  uint64_t http_requests = 0;  // of any kind
  uint64_t requests = 0;       // for inference
  uint64_t aborted = 0;        // requests whose client left before the end of its answer
  uint64_t rejected = 0;       // by the queue limit
  uint64_t ended_stop = 0;     // sequences, by finish_reason
  uint64_t ended_length = 0;
  uint64_t ended_abort = 0;
};

struct EngineGauges {
  size_t running = 0;
  size_t waiting = 0;
  uint64_t held_tokens = 0;
  uint64_t generated_tokens = 0;
  uint64_t prompt_tokens = 0;
  size_t open_connections = 0;
};

std::string metrics_text(std::string_view model, const MockCounters& counters,
                         const EngineGauges& engine);

}  // namespace weir
