#include "discovery/replica_plan.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace weir {
namespace {

// sbatch's options come back as input variables of srun and change every step (a GPU count that
// makes it fail, a core it is tied to, an empty PATH), so all of them go. SLURM_JOB_ID and what
// else names the allocation stay.
constexpr std::array kInputVariables = std::to_array<std::string_view>({
    "SLURM_GPUS",
    "SLURM_GPUS_PER_NODE",
    "SLURM_GPUS_PER_TASK",
    "SLURM_GPUS_PER_SOCKET",
    "SLURM_GPU_BIND",
    "SLURM_NTASKS",
    "SLURM_NPROCS",
    "SLURM_NTASKS_PER_NODE",
    "SLURM_NTASKS_PER_GPU",
    "SLURM_CPUS_PER_TASK",
    "SLURM_CPUS_PER_GPU",
    "SLURM_MEM_PER_NODE",
    "SLURM_MEM_PER_CPU",
    "SLURM_MEM_PER_GPU",
    "SLURM_TRES_PER_TASK",
    "SLURM_TRES_BIND",
    "SLURM_DISTRIBUTION",
    "SLURM_EXCLUSIVE",
    "SLURM_HINT",
    "SLURM_THREADS_PER_CORE",
    "SLURM_NNODES",
    "SLURM_JOB_NUM_NODES",
    "SLURM_TASKS_PER_NODE",
    "SLURM_EXPORT_ENV",
    "SRUN_CPUS_PER_TASK",
    "SLURM_NTASKS_PER_SOCKET",
    "SLURM_NTASKS_PER_CORE",
    "SLURM_GPU_FREQ",
    "SLURM_CPU_BIND",
    "SLURM_MEM_BIND",
    "SLURM_OVERCOMMIT",
    "SLURM_STEP_GRES",
    "SLURM_LABELIO",
    "SLURM_UNBUFFEREDIO",
    "SLURM_STDINMODE",
    "SLURM_STDOUTMODE",
    "SLURM_STDERRMODE",
    "SLURM_IMMEDIATE",
    "SLURM_WAIT",
    "SLURM_KILL_BAD_EXIT",
});

struct NodeShare {
  const AllocatedNode* node;
  uint32_t slots;  // replicas it can hold
};

std::string gpus_text(uint32_t count) {
  return fmt::format("{} GPU{}", count, count == 1 ? "" : "s");
}

Problem no_gpus(const Allocation& allocation) {
  return {fmt::format("job {} has no GPUs on its nodes", allocation.job_id),
          "ask for some (#SBATCH --gpus-per-node=N), or say how many replicas you want with "
          "--replicas N"};
}

std::string replica_id(std::string_view node, uint32_t local_index) {
  // Long names keep their first part: node17.cluster.example.com-0 would fill every log line.
  return fmt::format("{}-{}", node.substr(0, node.find('.')), local_index);
}

PlannedReplica place(const AllocatedNode& node, uint32_t local_index, uint32_t gpus,
                     uint32_t on_node) {
  PlannedReplica replica;
  replica.id = replica_id(node.name, local_index);
  replica.node = node.name;
  replica.node_address = node.address;
  replica.local_index = local_index;
  replica.first_gpu = local_index * gpus;
  replica.gpus = gpus;
  replica.node_gpus = node.gpus;
  replica.cpus = on_node == 0 ? 0 : node.cpus / on_node;
  return replica;
}

void number(ReplicaPlan& plan) {
  for (uint32_t i = 0; i < plan.replicas.size(); ++i) plan.replicas[i].index = i;
}

// Two nodes whose names differ behind the first dot only would give equal ids.
void make_ids_unique(ReplicaPlan& plan) {
  std::vector<std::string> ids;
  for (const PlannedReplica& replica : plan.replicas) ids.push_back(replica.id);
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) == ids.end()) return;
  for (PlannedReplica& replica : plan.replicas) {
    replica.id = fmt::format("{}-{}", replica.node, replica.local_index);
  }
}

// Without GPUs: dealt out node by node, the first nodes hold one more.
Result<ReplicaPlan, Problem> plan_without_gpus(const Allocation& allocation, uint32_t replicas) {
  ReplicaPlan plan;
  const uint32_t nodes = static_cast<uint32_t>(allocation.nodes.size());
  for (uint32_t i = 0; i < nodes; ++i) {
    const uint32_t on_node = replicas / nodes + (i < replicas % nodes ? 1 : 0);
    for (uint32_t local = 0; local < on_node; ++local) {
      plan.replicas.push_back(place(allocation.nodes[i], local, 0, on_node));
    }
  }
  number(plan);
  make_ids_unique(plan);
  return plan;
}

Problem too_few(const Allocation& allocation, const ReplicaPlanOptions& options, uint32_t slots) {
  uint32_t most = 0;
  uint64_t all = 0;
  for (const AllocatedNode& node : allocation.nodes) {
    most = std::max(most, node.gpus);
    all += node.gpus;
  }
  if (slots == 0) {
    return {
        fmt::format("no node of job {} has the {} that a replica needs (at most {} on one node)",
                    allocation.job_id, gpus_text(options.gpus_per_replica), most),
        fmt::format("use --gpus-per-replica {} or ask for more GPUs a node", most)};
  }
  return {fmt::format(
              "{} replicas of {} were asked for, but job {} has room for {} ({} GPUs on {} nodes)",
              options.replicas, gpus_text(options.gpus_per_replica), allocation.job_id, slots, all,
              allocation.nodes.size()),
          fmt::format("use --replicas {} or less, or ask for more GPUs", slots)};
}

// Slurm's own binding gives each step its cores for itself: at least one must be there.
Result<Ok, Problem> check_cpus(const ReplicaPlan& plan, GpuBinding binding) {
  if (binding == GpuBinding::pick) return Ok{};
  for (const PlannedReplica& replica : plan.replicas) {
    if (replica.cpus > 0) continue;
    return Problem{
        fmt::format("--binding slurm: node {} has fewer CPUs than replicas, so they would "
                    "run one after the other",
                    replica.node),
        "ask for more CPUs (#SBATCH --cpus-per-gpu=N), or use --binding pick"};
  }
  return Ok{};
}

void remark_left_over(const std::vector<NodeShare>& shares, const ReplicaPlanOptions& options,
                      ReplicaPlan& plan) {
  for (const NodeShare& share : shares) {
    const uint32_t left = share.node->gpus - share.slots * options.gpus_per_replica;
    if (share.node->gpus == 0) {
      plan.remarks.push_back(fmt::format("node {} has no GPU: no replica there", share.node->name));
    } else if (left > 0) {
      plan.remarks.push_back(fmt::format(
          "{} of {} stay{} unused: {} per replica does not divide {}", gpus_text(left),
          share.node->name, left == 1 ? "s" : "", options.gpus_per_replica, share.node->gpus));
    }
  }
}

Result<ReplicaPlan, Problem> plan_with_gpus(const Allocation& allocation,
                                            const ReplicaPlanOptions& options) {
  std::vector<NodeShare> shares;
  uint64_t slots = 0;
  for (const AllocatedNode& node : allocation.nodes) {
    shares.push_back({&node, node.gpus / options.gpus_per_replica});
    slots += shares.back().slots;
  }
  const uint32_t fit = static_cast<uint32_t>(std::min<uint64_t>(slots, kMaxReplicas));
  if (fit == 0 || options.replicas > fit) return too_few(allocation, options, fit);
  const uint32_t wanted = options.replicas == 0 ? fit : options.replicas;
  ReplicaPlan plan;
  for (const NodeShare& share : shares) {
    const uint32_t done = static_cast<uint32_t>(plan.replicas.size());
    const uint32_t on_node = std::min(share.slots, wanted - done);
    for (uint32_t local = 0; local < on_node; ++local) {
      plan.replicas.push_back(place(*share.node, local, options.gpus_per_replica, on_node));
    }
  }
  remark_left_over(shares, options, plan);
  const uint32_t idle = fit - wanted;
  if (idle > 0) {
    plan.remarks.push_back(fmt::format("room for {} more replica{}: --replicas {} was asked for",
                                       idle, idle == 1 ? "" : "s", wanted));
  }
  number(plan);
  make_ids_unique(plan);
  const auto cpus = check_cpus(plan, options.binding);
  if (!cpus) return cpus.error();
  return plan;
}

bool needs_no_quotes(std::string_view text) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  return !text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos;
}

}  // namespace

Result<ReplicaPlan, Problem> plan_replicas(const Allocation& allocation,
                                           const ReplicaPlanOptions& options) {
  if (allocation.nodes.empty()) {
    return Problem{
        fmt::format("job {} has no nodes: SLURM_JOB_NODELIST is empty", allocation.job_id),
        "run weir inside the batch script, or set SLURM_JOB_NODELIST"};
  }
  if (options.replicas > kMaxReplicas) {
    return Problem{fmt::format("--replicas {}: at most {}", options.replicas, kMaxReplicas),
                   "use fewer replicas"};
  }
  const bool has_gpus = std::any_of(allocation.nodes.begin(), allocation.nodes.end(),
                                    [](const AllocatedNode& node) { return node.gpus > 0; });
  if (has_gpus && options.gpus_per_replica > 0) return plan_with_gpus(allocation, options);
  if (options.replicas == 0) return no_gpus(allocation);
  auto plan = plan_without_gpus(allocation, options.replicas);
  const auto cpus = check_cpus(*plan, options.binding);
  if (!cpus) return cpus.error();
  return plan;
}

Result<ReplicaPlan, Problem> plan_local_replicas(uint32_t gpus, const ReplicaPlanOptions& options) {
  if (gpus == 0 && options.replicas == 0) {
    return Problem{"no GPU was found on this machine",
                   "say how many replicas you want: --replicas N"};
  }
  Allocation here;
  here.job_id = "local";
  here.nodes.push_back({"localhost", 0, gpus, "127.0.0.1"});
  ReplicaPlanOptions local = options;
  local.binding = GpuBinding::pick;
  auto plan = plan_replicas(here, local);
  if (!plan) {
    return Problem{fmt::format("this machine has {}, too few for {} of {} each", gpus_text(gpus),
                               options.replicas == 0 ? std::string("replicas")
                                                     : fmt::format("{} replicas", options.replicas),
                               gpus_text(options.gpus_per_replica)),
                   plan.error().help};
  }
  for (PlannedReplica& replica : plan->replicas) {
    replica.id = fmt::format("local-{}", replica.local_index);
  }
  return plan;
}

std::vector<std::string> srun_command(const Allocation& allocation, const PlannedReplica& replica,
                                      const ReplicaPlanOptions& options,
                                      const std::vector<std::string>& wrapper) {
  std::vector<std::string> argv{"srun", "--jobid=" + allocation.job_id, "--nodes=1", "--ntasks=1",
                                "--nodelist=" + replica.node};
  if (options.binding == GpuBinding::pick) {
    argv.push_back("--overlap");
    if (replica.node_gpus > 0) argv.push_back(fmt::format("--gpus-per-node={}", replica.node_gpus));
  } else {
    argv.push_back("--exact");
    if (replica.gpus > 0) argv.push_back(fmt::format("--gpus-per-node={}", replica.gpus));
    argv.push_back(fmt::format("--cpus-per-task={}", replica.cpus));
    argv.push_back(
        "--immediate=30");  // a wait without end otherwise, when cores or memory do not suffice
  }
  argv.insert(argv.end(), {"--mem=0", "--export=ALL", "--kill-on-bad-exit=1",
                           "--job-name=" + options.step_prefix + replica.id});
  argv.insert(argv.end(), options.srun_args.begin(), options.srun_args.end());
  argv.insert(argv.end(), wrapper.begin(), wrapper.end());
  return argv;
}

Environment srun_environment(Environment environment) {
  for (const std::string_view name : kInputVariables) {
    const auto found = environment.find(name);
    if (found != environment.end()) environment.erase(found);
  }
  return environment;
}

std::string shell_quoted(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& argument : argv) {
    if (!line.empty()) line += ' ';
    if (needs_no_quotes(argument)) {
      line += argument;
      continue;
    }
    line += '\'';
    for (const char c : argument) {
      if (c == '\'') {
        line += "'\\''";
      } else {
        line += c;
      }
    }
    line += '\'';
  }
  return line;
}

}  // namespace weir
