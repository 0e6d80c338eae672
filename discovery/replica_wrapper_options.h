// The command line of the wrapper that runs beside each server on its node: `weir __replica ...`.
// Pure; value type, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

#include "discovery/replica_plan.h"

namespace weir {

// The hidden subcommand's name: lb/cli passes what follows it to parse_replica_wrapper().
inline constexpr std::string_view kReplicaWrapperCommand = "__replica";

struct ReplicaWrapperOptions {
  std::string serve;  // the command line with its placeholders, for /bin/sh -c
  std::string id;     // "n01-0"
  std::string node;
  uint32_t index = 0;        // {replica}; keeps the ports of a run apart
  uint32_t local_index = 0;  // its number on the node
  uint32_t first_gpu = 0;
  uint32_t gpus = 0;  // 0 = leaves the device variables alone
  uint32_t grace_seconds = 10;
  bool is_local = false;  // listens on 127.0.0.1 only
  bool is_trial = false;  // --try: does the binary run on this node at all? Ends with 0 at once
};

// `arguments` without the program's and the subcommand's name.
Result<ReplicaWrapperOptions, Problem> parse_replica_wrapper(
    const std::vector<std::string>& arguments);

// The inverse.
std::vector<std::string> replica_wrapper_arguments(const ReplicaWrapperOptions& options);

struct ReplicaServeOptions {
  std::string serve;
  uint32_t grace_seconds = 10;
  bool is_local = false;
};
ReplicaWrapperOptions wrapper_options(const PlannedReplica& replica,
                                      const ReplicaServeOptions& serve);

}  // namespace weir
