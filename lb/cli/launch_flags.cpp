#include "lb/cli/launch_flags.h"

#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

class LaunchApplier {
 public:
  explicit LaunchApplier(std::vector<Problem>& problems) : problems_(problems) {}

  void count(std::string_view flag, const std::optional<std::string>& text, uint64_t least,
             uint64_t most, uint32_t* target) {
    if (!text) return;
    const Result<uint64_t, Problem> value = parse_count(*text, least, most);
    if (value) {
      *target = static_cast<uint32_t>(*value);
    } else {
      blame(flag, value.error());
    }
  }

  void duration(std::string_view flag, const std::optional<std::string>& text, Duration* target) {
    if (!text) return;
    const Result<Duration, Problem> value = parse_duration(*text);
    if (value) {
      *target = *value;
    } else {
      blame(flag, value.error());
    }
  }

  void blame(std::string_view flag, const Problem& problem) {
    problems_.push_back({std::string(flag) + ": " + problem.what, problem.help});
  }

 private:
  std::vector<Problem>& problems_;
};

void apply_words(const LaunchFlags& flags, LaunchOptions* options, LaunchApplier& applier) {
  if (flags.wait_ready == "all") {
    options->wait_ready = LaunchOptions::kAll;
  } else if (flags.wait_ready) {
    const Result<uint64_t, Problem> count = parse_count(*flags.wait_ready, 0, kMaxReplicas);
    if (count) options->wait_ready = static_cast<uint32_t>(*count);
    if (!count) applier.blame("--wait-ready", {count.error().what, "write a number or \"all\""});
  }
  if (flags.client_env && *flags.client_env != "openai" && *flags.client_env != "off") {
    applier.blame("--client-env", {"unknown value \"" + *flags.client_env + "\"", "openai or off"});
  }
  if (flags.client_env == "off") options->client_environment = ClientEnvironment::off;
  if (flags.binding && *flags.binding != "pick" && *flags.binding != "slurm") {
    applier.blame("--binding", {"unknown value \"" + *flags.binding + "\"", "pick or slurm"});
  }
  if (flags.binding == "slurm") options->binding = GpuBinding::slurm;
}

}  // namespace

std::vector<Problem> apply_launch_flags(const LaunchFlags& flags, LaunchOptions* options) {
  std::vector<Problem> problems;
  LaunchApplier applier(problems);
  if (flags.serve.empty()) {
    problems.push_back(
        {"launch needs --serve",
         "say how a replica is started, like --serve 'vllm serve MODEL --port {port}'"});
  }
  options->serve = flags.serve;
  options->model = flags.model;
  options->listen = flags.listen;
  options->publish = flags.publish;
  options->publish_group = flags.publish_group;
  options->log_dir = flags.log_dir;
  options->report = flags.report;
  options->srun_args = flags.srun_args;
  options->local = flags.local;
  options->plan = flags.plan;
  applier.count("--gpus-per-replica", flags.gpus_per_replica, 0, 64, &options->gpus_per_replica);
  applier.count("--replicas", flags.replicas, 1, kMaxReplicas, &options->replicas);
  applier.count("--concurrency-per-replica", flags.concurrency_per_replica, 1, 1'000'000,
                &options->concurrency_per_replica);
  applier.count("--restarts", flags.restarts, 0, 1'000'000, &options->restarts);
  applier.duration("--start-timeout", flags.start_timeout, &options->start_timeout);
  applier.duration("--drain-before", flags.drain_before, &options->drain_before);
  apply_words(flags, options, applier);
  if (!flags.listen.empty()) {
    const Result<Address, Problem> address = parse_address(flags.listen);
    if (!address) applier.blame("--listen", address.error());
  }
  if (!flags.publish_group.empty() && flags.publish.empty()) {
    applier.blame("--publish-group", {"there is no file to publish", "add --publish FILE"});
  }
  return problems;
}

}  // namespace weir
