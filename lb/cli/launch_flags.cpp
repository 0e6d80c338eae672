#include "lb/cli/launch_flags.h"

#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr FlagRow<LaunchFlags> kRows[] = {
    {"--serve", "'COMMAND LINE'", &LaunchFlags::serve,
     "starts a replica; {port} {host} {gpu} {replica} {node} {model}"},
    {"--gpus-per-replica", "N", &LaunchFlags::gpus_per_replica, "default 1"},
    {"--replicas", "N", &LaunchFlags::replicas, "default as many as there are GPUs for"},
    {"--model", "NAME", &LaunchFlags::model, "the model's name, for {model}"},
    {"--listen", "ADDR", &LaunchFlags::listen, "default a free port of 127.0.0.1"},
    {"--wait-ready", "N|all", &LaunchFlags::wait_ready,
     "replicas that COMMAND waits for; default 1"},
    {"--concurrency-per-replica", "N", &LaunchFlags::concurrency_per_replica,
     "default 64; times replicas is {concurrency}"},
    {"--restarts", "N", &LaunchFlags::restarts, "of each replica; default 3"},
    {"--start-timeout", "D", &LaunchFlags::start_timeout, "until a replica is ready; default 30m"},
    {"--drain-before", "D", &LaunchFlags::drain_before,
     "COMMAND gets SIGTERM so long before the job's end"},
    {"--publish", "FILE", &LaunchFlags::publish, "write what runs, for weir serve --discover"},
    {"--publish-group", "GROUP", &LaunchFlags::publish_group, "the group may read it too"},
    {"--client-env", "openai|off", &LaunchFlags::client_env,
     "set OPENAI_* for COMMAND; default openai"},
    {"--log-dir", "DIR", &LaunchFlags::log_dir, "for the replicas' output; default weir-logs"},
    {"--report", "FILE", &LaunchFlags::report, "the summary as JSON"},
    {"--binding", "pick|slurm", &LaunchFlags::binding,
     "who gives a replica its GPUs; default pick"},
    {"--srun-args", "'...'", &LaunchFlags::srun_args, "more options for srun"},
    {"--local", &LaunchFlags::local, "processes of this machine, even inside a job"},
    {"--plan", &LaunchFlags::plan, "print the layout and the commands, run nothing"},
};

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

std::span<const FlagRow<LaunchFlags>> launch_flag_rows() {
  return kRows;
}

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
    const Result<Address, Problem> address = parse_listen_address(flags.listen);
    if (!address) applier.blame("--listen", address.error());
  }
  if (!flags.publish_group.empty() && flags.publish.empty()) {
    applier.blame("--publish-group", {"there is no file to publish", "add --publish FILE"});
  }
  return problems;
}

}  // namespace weir
