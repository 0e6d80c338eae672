#include "discovery/srun_step.h"

#include <unistd.h>

#include <array>

#include <fmt/core.h>

#include "discovery/replica_child.h"
#include "discovery/replica_environment.h"
#include "discovery/replica_wrapper_sh.h"
#include "discovery/srun_sweep.h"

namespace weir {
namespace {

std::string own_binary() {
  std::array<char, 4096> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  return n <= 0 ? "weir" : std::string(path.data(), static_cast<size_t>(n));
}

// Names and addresses of the nodes, and weir's host: none of them is to be reached through a proxy.
std::vector<std::string> hosts_of(const SrunOptions& options) {
  std::vector<std::string> hosts{options.own_host};
  for (const AllocatedNode& node : options.allocation.nodes) {
    hosts.push_back(node.name);
    hosts.push_back(node.address);
  }
  return hosts;
}

class SrunStarter final : public ReplicaStarter {
 public:
  SrunStarter(EventLoop& loop, SrunOptions options)
      : loop_(loop),
        options_(std::move(options)),
        tool_environment_(as_lines(options_.environment)),
        environment_(replica_environment(srun_environment(options_.environment), options_.api_key,
                                         hosts_of(options_))),
        sweep_(loop, options_.allocation.job_id, options_.plan.step_prefix, tool_environment_) {}

  std::vector<std::string> command(const PlannedReplica& replica) const override {
    return srun_command(options_.allocation, replica, options_.plan,
                        replica_wrapper_command(options_.weir_path, wrapper_of(replica)));
  }

  Result<std::unique_ptr<ReplicaProcess>, Problem> start(const PlannedReplica& replica,
                                                         ReplicaProcessUser& user) override {
    ReplicaChildOptions child;
    child.is_srun = true;
    child.grace = std::chrono::seconds(options_.serve.grace_seconds);
    child.node = replica.node;
    child.environment = tool_environment_;
    auto process = std::make_unique<ReplicaChild>(loop_, user, std::move(child));
    SubprocessOptions subprocess;
    subprocess.argv = command(replica);
    Environment environment = environment_;
    environment["WEIR_REPLICA_SH"] = replica_wrapper_script(wrapper_of(replica));
    subprocess.environment = as_lines(environment);
    subprocess.input = SubprocessOptions::Input::pipe;
    const auto started = process->start(subprocess);
    if (!started) return started.error();
    return std::unique_ptr<ReplicaProcess>(std::move(process));
  }

  void sweep(Callback<const ReplicaSweep&> done) override { sweep_.start(done); }

 private:
  ReplicaWrapperOptions wrapper_of(const PlannedReplica& replica) const {
    ReplicaWrapperOptions wrapper = wrapper_options(replica, options_.serve);
    // Slurm's own binding shows each step nothing but its GPUs.
    if (options_.plan.binding == GpuBinding::slurm) wrapper.first_gpu = 0;
    return wrapper;
  }

  EventLoop& loop_;
  const SrunOptions options_;
  const std::vector<std::string> tool_environment_;  // of scancel and squeue
  const Environment environment_;                    // of srun and so of the step
  SrunSweep sweep_;
};

}  // namespace

std::unique_ptr<ReplicaStarter> make_srun_starter(EventLoop& loop, SrunOptions options) {
  if (options.weir_path.empty()) options.weir_path = own_binary();
  // Two runs in one job must not sweep each other's steps away.
  options.plan.step_prefix = fmt::format("weir-{}-", ::getpid());
  return std::make_unique<SrunStarter>(loop, std::move(options));
}

}  // namespace weir
