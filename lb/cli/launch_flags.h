// The flags of `weir launch` that only it has, as typed, and how they become LaunchOptions. Pure;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/result.h"

#include "lb/cli/flag_row.h"
#include "lb/launch/launch_options.h"

namespace weir {

struct LaunchFlags {
  std::string serve;
  std::string model;
  std::string listen;
  std::string publish;
  std::string publish_group;
  std::string log_dir;
  std::string report;
  std::string srun_args;
  std::optional<std::string> gpus_per_replica;
  std::optional<std::string> replicas;
  std::optional<std::string> wait_ready;
  std::optional<std::string> concurrency_per_replica;
  std::optional<std::string> restarts;
  std::optional<std::string> start_timeout;
  std::optional<std::string> drain_before;
  std::optional<std::string> client_env;
  std::optional<std::string> binding;
  bool local = false;
  bool plan = false;
};

std::span<const FlagRow<LaunchFlags>> launch_flag_rows();

// Every mistake, each with the flag it is in; empty when all of them were taken.
std::vector<Problem> apply_launch_flags(const LaunchFlags& flags, LaunchOptions* options);

}  // namespace weir
