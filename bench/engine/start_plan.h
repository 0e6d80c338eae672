// Which sessions a worker starts, and when: its share of the schedule of an open loop or of a
// trace, or its places of a closed loop. Times in ns from the start of the run; never names a
// clock. Worker thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/engine/arrivals.h"
#include "bench/engine/load_options.h"
#include "bench/engine/work.h"

namespace weir {

class StartPlan {
 public:
  struct Start {
    uint32_t session;
    int64_t planned_ns;
  };

  // Of `worker` of load.workers; sessions are dealt round.
  StartPlan(const LoadOptions& load, const WorkOptions& work, uint32_t worker);

  // When the next session is to start; nullopt: none is planned (yet, in a closed loop).
  std::optional<int64_t> next_start();
  Start take();  // that one

  // A closed loop's place is free again. After a failure it rests, so that a pool which refuses is
  // not flooded.
  void session_ended(int64_t now_ns, bool failed);
  // A pause to think, between two turns.
  int64_t think_ns();

  void stop() { is_stopped_ = true; }
  // No session will ever start again, whatever ends.
  bool is_over();

 private:
  void fetch();
  std::optional<int64_t> scheduled(uint32_t session);

  const LoadOptions& load_;
  const WorkOptions& work_;
  Arrivals arrivals_;
  Dice dice_;
  uint32_t drawn_ = 0;                // arrivals drawn, of all workers
  uint32_t next_session_;             // mine
  uint32_t sessions_;                 // of all workers; ~0 = no bound
  std::optional<int64_t> next_;       // open loop, trace: my next one
  std::vector<int64_t> free_places_;  // closed loop: since when; a heap, earliest first
  const bool has_places_;
  uint32_t places_ = 0;  // mine; there may be fewer than workers
  bool is_schedule_over_ = false;
  bool is_stopped_ = false;
};

}  // namespace weir
