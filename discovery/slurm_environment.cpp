#include "discovery/slurm_environment.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "discovery/hostlist.h"

namespace weir {
namespace {

std::string_view value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string_view() : std::string_view(found->second);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// The first of the two that is set: old and new spelling.
std::string_view either(const Environment& environment, std::string_view first,
                        std::string_view second) {
  const std::string_view value = value_of(environment, first);
  return value.empty() ? value_of(environment, second) : value;
}

void fill_in_cpus(const Environment& environment, Allocation& allocation) {
  const auto counts = expand_counts(value_of(environment, "SLURM_JOB_CPUS_PER_NODE"));
  if (!counts || counts.value().size() != allocation.nodes.size()) return;
  for (size_t i = 0; i < allocation.nodes.size(); ++i) {
    allocation.nodes[i].cpus = counts.value()[i];
  }
}

// SLURM_GPUS_ON_NODE is a plain number, but of the batch script's node only: a guess for the others
// until Slurm is asked.
void guess_gpus(const Environment& environment, Allocation& allocation) {
  const auto count = parse_number<uint32_t>(value_of(environment, "SLURM_GPUS_ON_NODE"));
  for (AllocatedNode& node : allocation.nodes) node.gpus = count.value_or(0);
  allocation.gpus_known = count.has_value() && allocation.nodes.size() == 1;
}

}  // namespace

Environment current_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const size_t equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    result.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return result;
}

bool is_in_allocation(const Environment& environment) {
  return !either(environment, "SLURM_JOB_ID", "SLURM_JOBID").empty();
}

Result<std::vector<uint32_t>, Problem> expand_counts(std::string_view text) {
  const Problem problem{fmt::format("cannot read the counts \"{}\"", text.substr(0, 80)),
                        "expected Slurm's form, for example 4(x2),6"};
  std::vector<uint32_t> counts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    uint32_t times = 1;
    if (const size_t open = item.find("(x"); open != std::string_view::npos) {
      if (!item.ends_with(')')) return problem;
      const auto factor = parse_number<uint32_t>(item.substr(open + 2, item.size() - open - 3));
      if (!factor || *factor > kMaxHosts) return problem;
      times = *factor;
      item = item.substr(0, open);
    }
    const auto count = parse_number<uint32_t>(item);
    if (!count || counts.size() + times > kMaxHosts) return problem;
    counts.insert(counts.end(), times, *count);
  }
  return counts;
}

Result<Allocation, Problem> read_allocation(const Environment& environment) {
  Allocation allocation;
  allocation.job_id = either(environment, "SLURM_JOB_ID", "SLURM_JOBID");
  if (allocation.job_id.empty()) {
    return Problem{"not inside a Slurm job: SLURM_JOB_ID is not set",
                   "submit with sbatch, or --local"};
  }
  if (!std::all_of(allocation.job_id.begin(), allocation.job_id.end(),
                   [](char c) { return (c >= '0' && c <= '9') || c == '_' || c == '+'; })) {
    return Problem{fmt::format("SLURM_JOB_ID is not a job number: \"{}\"", allocation.job_id),
                   "unset it, or set it to the number squeue shows"};
  }
  const std::string_view list = either(environment, "SLURM_JOB_NODELIST", "SLURM_NODELIST");
  auto names = expand_hostlist(list);
  if (!names) return Problem{"SLURM_JOB_NODELIST: " + names.error().what, names.error().help};
  for (std::string& name : *names) allocation.nodes.push_back({std::move(name), 0, 0, {}});
  fill_in_cpus(environment, allocation);
  guess_gpus(environment, allocation);
  const std::string_view step = either(environment, "SLURM_STEP_ID", "SLURM_STEPID");
  allocation.is_inside_step = !step.empty();
  allocation.restart_count =
      parse_number<uint32_t>(value_of(environment, "SLURM_RESTART_COUNT")).value_or(0);
  allocation.end_time =
      parse_number<int64_t>(value_of(environment, "SLURM_JOB_END_TIME")).value_or(0);
  return allocation;
}

}  // namespace weir
