// What `weir launch` was told: one field a flag. Filled by lb/cli, consumed by run_launch(). Value
// type, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/timer.h"

#include "discovery/replica_plan.h"
#include "lb/config/config.h"

namespace weir {

enum class ClientEnvironment : uint8_t {
  openai,  // COMMAND gets OPENAI_BASE_URL and OPENAI_API_KEY
  off,     // the user's own are left alone
};

struct LaunchOptions {
  static constexpr uint32_t kAll = ~uint32_t{0};

  std::vector<std::string>
      command;        // behind the first "--", byte-exact; empty: serve until told to stop
  std::string serve;  // --serve, for /bin/sh -c; required
  uint32_t gpus_per_replica = 1;  // --gpus-per-replica
  uint32_t replicas = 0;          // --replicas; 0 = one per gpus_per_replica GPUs found
  std::string model;              // --model: {model}, and the model the pool serves; may be empty
  std::string listen;  // --listen; empty = a free port of 127.0.0.1, with which nobody needs a key
  uint32_t wait_ready = 1;  // --wait-ready N|all (kAll): replicas ready before COMMAND starts
  uint32_t concurrency_per_replica =
      64;                 // --concurrency-per-replica; times planned replicas is {concurrency}
  uint32_t restarts = 3;  // --restarts, of each replica
  Duration start_timeout =
      std::chrono::minutes(30);  // --start-timeout, from a replica's start to ready
  Duration
      drain_before{};  // --drain-before; 0 = off. COMMAND gets SIGTERM so long before the job's end
  std::string publish;        // --publish FILE; empty = none
  std::string publish_group;  // --publish-group; empty = mode 0600
  ClientEnvironment client_environment = ClientEnvironment::openai;  // --client-env openai|off
  std::string log_dir;                    // --log-dir; empty = "weir-logs" in the current directory
  std::string report;                     // --report FILE, JSON; empty = text only
  GpuBinding binding = GpuBinding::pick;  // --binding pick|slurm
  std::string srun_args;  // --srun-args, split as a shell would (quotes, no expansion)
  bool local = false;     // --local: processes of this machine, even inside a job
  bool plan = false;      // --plan: print the layout and the commands, run nothing

  // The flags of `weir serve` (policy, caps, queue, timeouts, workers, paths, admin, access log),
  // over the defaults of launch. Listeners and backends are filled in by run_launch().
  Config config = default_config(Command::launch);
};

}  // namespace weir
