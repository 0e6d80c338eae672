// Starts each replica as a process of this machine, behind the same wrapper that an srun step has.
// Owned by lb/launch. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "discovery/replica_starter.h"
#include "discovery/replica_wrapper_options.h"
#include "discovery/slurm_environment.h"

namespace weir {

class EventLoop;

struct LocalProcessOptions {
  ReplicaServeOptions serve;  // is_local is set by the starter
  Environment environment;
  std::string api_key;    // VLLM_API_KEY
  std::string own_host;   // for NO_PROXY
  std::string weir_path;  // our binary; empty = /proc/self/exe
};

std::unique_ptr<ReplicaStarter> make_local_starter(EventLoop& loop, LocalProcessOptions options);

}  // namespace weir
