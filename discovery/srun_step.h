// Starts each replica as an srun step of its own. The lifeline is srun's standard input; the server
// is ended by closing it, since SIGTERM to srun would be SIGKILL to the server. Owned by lb/launch.
// Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "discovery/replica_plan.h"
#include "discovery/replica_starter.h"
#include "discovery/replica_wrapper_options.h"
#include "discovery/slurm_environment.h"

namespace weir {

class EventLoop;

struct SrunOptions {
  Allocation allocation;
  ReplicaPlanOptions plan;
  ReplicaServeOptions serve;
  Environment environment;  // of the steps, before the Slurm input variables are taken out
  std::string api_key;      // goes into the environment as VLLM_API_KEY
  std::string own_host;     // weir's host, for NO_PROXY
  std::string weir_path;    // of our binary, as the nodes would see it; empty = /proc/self/exe
};

std::unique_ptr<ReplicaStarter> make_srun_starter(EventLoop& loop, SrunOptions options);

}  // namespace weir
