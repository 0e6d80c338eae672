#include "lb/launch/launch_layout.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "discovery/local_gpus.h"
#include "discovery/serve_template.h"
#include "discovery/slurm_commands.h"
#include "lb/launch/command_template.h"

namespace weir {
namespace {

constexpr std::chrono::seconds kSlurmPatience{20};

void append(std::vector<std::string>* to, const std::vector<std::string>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

Result<RunLayout, Problem> lay_out_locally(const Environment& environment, RunLayout layout) {
  const uint32_t gpus = count_local_gpus(environment);
  if (gpus == 0 && layout.options.replicas == 0) {
    return Problem{"no GPU found on this machine",
                   "say how many replicas you want with --replicas N"};
  }
  Result<ReplicaPlan, Problem> plan = plan_local_replicas(gpus, layout.options);
  if (!plan) return plan.error();
  layout.plan = std::move(*plan);
  append(&layout.remarks, layout.plan.remarks);
  return layout;
}

Result<RunLayout, Problem> lay_out_in_job(const Environment& environment, RunLayout layout) {
  Result<Allocation, Problem> allocation = read_allocation(environment);
  if (!allocation) return allocation.error();
  AllocationAnswer answer = ask_slurm(std::move(*allocation), environment, kSlurmPatience);
  append(&layout.remarks, answer.remarks);
  Result<ReplicaPlan, Problem> plan = plan_replicas(answer.allocation, layout.options);
  if (!plan) return plan.error();
  layout.is_slurm = true;
  layout.allocation = std::move(answer.allocation);
  layout.plan = std::move(*plan);
  append(&layout.remarks, layout.plan.remarks);
  if (layout.allocation.is_inside_step) {
    layout.remarks.emplace_back(
        "weir runs as a task of srun: one such task starts all replicas, so run it with --ntasks=1 "
        "--overlap");
  }
  return layout;
}

std::string counted(size_t number, std::string_view word) {
  return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
}

}  // namespace

Result<RunLayout, Problem> lay_out_run(const LaunchOptions& options,
                                       const Environment& environment) {
  RunLayout layout;
  Result<std::vector<std::string>, Problem> srun_args = split_shell_words(options.srun_args);
  if (!srun_args) return Problem{"--srun-args: " + srun_args.error().what, srun_args.error().help};
  layout.options.gpus_per_replica = options.gpus_per_replica;
  layout.options.replicas = options.replicas;
  layout.options.binding = options.binding;
  layout.options.srun_args = std::move(*srun_args);
  layout.remarks = check_serve(options.serve);

  const bool is_in_job = is_in_allocation(environment);
  if (!options.local && !is_in_job && is_on_path(environment, "srun")) {
    return Problem{"this is a Slurm machine, but weir launch runs in no job",
                   "submit with sbatch, or --local"};
  }
  Result<RunLayout, Problem> done = is_in_job && !options.local
                                        ? lay_out_in_job(environment, std::move(layout))
                                        : lay_out_locally(environment, std::move(layout));
  if (!done) return done;
  const size_t planned = done->plan.replicas.size();
  if (options.wait_ready != LaunchOptions::kAll && options.wait_ready > planned) {
    return Problem{fmt::format("--wait-ready {}: only {} planned", options.wait_ready,
                               counted(planned, "replica")),
                   "use --wait-ready all"};
  }
  if (options.drain_before > Duration::zero() && done->allocation.end_time == 0) {
    done->remarks.emplace_back("--drain-before has no effect: the end of the job is not known");
  }
  return done;
}

std::string describe(const RunLayout& layout) {
  const std::vector<PlannedReplica>& replicas = layout.plan.replicas;
  std::string out = counted(replicas.size(), "replica");
  const uint32_t gpus = replicas.empty() ? 0 : replicas.front().gpus;
  if (gpus > 0) out += " of " + counted(gpus, "GPU");
  if (!layout.is_slurm) return out + " on this machine";
  std::set<std::string> nodes;
  for (const PlannedReplica& replica : replicas) nodes.insert(replica.node);
  return fmt::format("{} on {} of job {}", out, counted(nodes.size(), "node"),
                     layout.allocation.job_id);
}

std::string missing_exec(const Environment& environment, std::string_view parent,
                         bool has_terminal) {
  constexpr std::string_view kShells[] = {"bash", "sh", "dash", "zsh", "ksh", "tcsh", "csh"};
  const bool is_shell = std::ranges::find(kShells, parent) != std::end(kShells);
  const bool is_batch = parent == "slurm_script" || (is_shell && !has_terminal);
  if (!is_in_allocation(environment) || !is_batch) return {};
  return "weir launch runs without exec: the batch shell keeps the signals of scancel and --signal "
         "to itself, so the end of "
         "the job is noticed only when the replicas are told; write `exec weir launch …` in the "
         "batch script";
}

}  // namespace weir
