#include "lb/cli/bench_flags.h"

#include <stdlib.h>

#include <algorithm>
#include <cmath>

#include "lb/cli/bench_applier.h"
#include "lb/config/backend_list.h"
#include "lb/config/setting_text.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr size_t kMostSteps = 100;
constexpr uint32_t kMostConcurrency = 200'000;
constexpr double kDefaultDuration_s = 30;

void add_targets(const std::vector<std::string>& urls, TargetRecord::Role role,
                 std::string_view flag, BenchOptions* options, BenchApplier& applier) {
  for (const std::string& url : urls) {
    const Result<std::vector<BackendSpec>, Problem> found = expand_backends(url);
    if (!found) {
      applier.blame(flag, found.error());
      continue;
    }
    for (const BackendSpec& spec : *found) {
      BenchTarget target;
      target.role = role;
      target.name = spec.id;
      target.address = spec.address;
      target.url = "http://" + to_string(spec.address);
      options->targets.push_back(std::move(target));
    }
  }
}

void apply_targets(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier) {
  const bool has_proxy = !flags.urls.empty() || !flags.to.empty();
  add_targets(flags.urls, TargetRecord::Role::proxy, "URL", options, applier);
  add_targets(flags.to, TargetRecord::Role::proxy, "--to", options, applier);
  add_targets(flags.direct, TargetRecord::Role::direct, "--direct", options, applier);
  if (!has_proxy && flags.direct.empty()) {
    applier.blame("bench", {"there is nobody to send to",
                            "give a URL, like weir bench http://127.0.0.1:8080"});
  }
  if (flags.ab && (!has_proxy || flags.direct.empty())) {
    applier.blame("--ab", {"one side is missing", "give --to PROXY and --direct BACKEND..."});
  }
  if (!flags.ab && has_proxy && !flags.direct.empty()) {
    applier.blame("--direct", {"there is --to as well", "add --ab to compare the two"});
  }
  if (options->targets.size() > kMostBackends) {
    applier.blame("bench", {"there are too many targets", ""});
  }
  if (flags.policy) {
    const Result<PolicyName, Problem> policy = parse_policy(*flags.policy);
    if (policy) options->policy = *policy;
    if (!policy) applier.blame("--policy", policy.error());
  }
  for (const std::string& header : flags.headers) {
    const size_t colon = header.find(':');
    const bool is_clean = header.find_first_of("\r\n") == header.npos;
    if (colon == header.npos || colon == 0 || !is_clean) {
      applier.blame("--header", {"expected NAME: VALUE, got \"" + header.substr(0, 80) + "\"", ""});
      continue;
    }
    const size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    options->headers.emplace_back(header.substr(0, colon), header.substr(value));
  }
  const char* key = ::getenv("OPENAI_API_KEY");
  options->api_key = flags.api_key.value_or(key != nullptr ? key : "");
  if (options->api_key.find_first_of("\r\n") != std::string::npos) {
    applier.blame("--api-key", {"a key has no line ends", ""});
  }
}

// What the load is made by; several of them contradict each other.
void apply_kind(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier) {
  LoadOptions& load = options->load;
  const int kinds = (flags.rate ? 1 : 0) + (flags.concurrency ? 1 : 0) + (flags.users ? 1 : 0) +
                    (flags.trace ? 1 : 0);
  if (kinds > 1) {
    applier.blame("bench", {"--rate, --concurrency, --users and --trace exclude each other",
                            "take one of them"});
  }
  load.arrivals.stages = {{1, 1, 0}};
  load.concurrency = 1;
  if (flags.concurrency || (kinds == 0 && flags.sweep)) load.kind = LoadRecord::Kind::closed;
  if (kinds == 0 && !flags.sweep) load.kind = LoadRecord::Kind::closed;
  if (flags.users) load.kind = LoadRecord::Kind::users;
  if (flags.trace) load.kind = LoadRecord::Kind::trace;
  applier.count("--concurrency", flags.concurrency, 1, kMostConcurrency, &load.concurrency);
  applier.count("--users", flags.users, 1, kMostConcurrency, &load.concurrency);
  if (flags.rate) {
    const Result<std::vector<RateStage>, Problem> stages = parse_rates(*flags.rate);
    if (stages) load.arrivals.stages = *stages;
    if (!stages) applier.blame("--rate", stages.error());
  }
  if (flags.arrival) {
    const Result<Ok, Problem> kind = parse_arrival_kind(*flags.arrival, &load.arrivals);
    if (!kind) applier.blame("--arrival", kind.error());
    if (!flags.rate) applier.blame("--arrival", {"it is of an open loop", "add --rate"});
  }
}

void apply_bounds(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier) {
  LoadOptions& load = options->load;
  applier.seconds("--think", flags.think, &load.think_s);
  applier.count("--requests", flags.requests, 1, 1'000'000'000, &load.requests);
  applier.seconds("--duration", flags.duration, &load.duration_s);
  applier.seconds("--warm-up", flags.warm_up, &load.warm_up_s);
  applier.seconds("--grace", flags.grace, &load.grace_s);
  applier.count("--max-inflight", flags.max_in_flight, 1, kMostConcurrency, &load.asked_in_flight);
  applier.count("--workers", flags.workers, 1, 64, &load.workers);
  applier.number("--speed", flags.speed, 1e-3, 1e6, &load.speed);
  double timeout_s = std::chrono::duration<double>(load.request_timeout).count();
  applier.seconds("--request-timeout", flags.request_timeout, &timeout_s);
  load.request_timeout = std::chrono::milliseconds(std::llround(timeout_s * 1000));
  const bool has_end = load.requests > 0 || load.duration_s > 0 || flags.trace;
  if (!has_end) {
    const double stages_s = load.kind == LoadRecord::Kind::open ? load.arrivals.length_s() : 0;
    load.duration_s = stages_s > 0 ? stages_s : kDefaultDuration_s;
  }
  if (load.duration_s > 0 && load.warm_up_s >= load.duration_s) {
    applier.blame("--warm-up", {"it is not shorter than the run", "give a longer --duration"});
  }
  if (flags.receive_times && *flags.receive_times != "kernel" && *flags.receive_times != "user") {
    applier.blame("--receive-times", {"unknown value", "write kernel or user"});
  }
  load.kernel_times = flags.receive_times != "user";
}

// A,B,C of rates or concurrencies.
void apply_sweep(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier) {
  if (flags.sweep && flags.find_max) {
    applier.blame("--sweep", {"--find-max chooses its steps itself", "take one of the two"});
  }
  if (flags.find_max && flags.slo.empty()) {
    applier.blame("--find-max",
                  {"it needs to know what has to hold", "add --slo 'ttft_p99<500ms'"});
  }
  if (flags.find_max && (flags.trace || options->load.arrivals.stages.size() > 1)) {
    applier.blame("--find-max", {"it needs one rate or concurrency to begin with", ""});
  }
  applier.number("--precision", flags.precision, 0.001, 1, &options->precision);
  options->finds_max = flags.find_max;
  if (!flags.sweep) return;
  if (flags.trace) applier.blame("--sweep", {"a trace has its own times", ""});
  std::string_view rest = *flags.sweep;
  const bool is_open = options->load.kind == LoadRecord::Kind::open;
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    double value = 0;
    const bool is_good = parse_number(rest.substr(0, comma), is_open ? 0.001 : 1, 1e6, &value) &&
                         (is_open || (value == std::floor(value) && value <= kMostConcurrency));
    if (!is_good || options->sweep.size() >= kMostSteps) {
      applier.blame("--sweep", {"cannot read \"" + flags.sweep->substr(0, 80) + "\"",
                                "write up to 100 numbers, like 5,10,20"});
      return;
    }
    options->sweep.push_back(value);
    if (comma == rest.size()) return;
    rest.remove_prefix(comma + 1);
  }
}

void apply_chaos(const BenchFlags& flags, BenchOptions* options, BenchApplier& applier,
                 std::vector<Problem>& problems) {
  for (const auto& [time, what] : flags.at) {
    Result<ChaosAction, Problem> action = parse_action(time + " " + what);
    if (!action) {
      problems.push_back(action.error());
      continue;
    }
    if (options->load.duration_s > 0 && action->at_s >= options->load.duration_s) {
      applier.blame("--at", {"at " + time + " the run is over", "give a longer --duration"});
    }
    options->chaos.actions.push_back(std::move(*action));
  }
  if (options->chaos.actions.size() > kMostActions) {
    applier.blame("--at", {"there are more than " + std::to_string(kMostActions), ""});
  }
  if (flags.admin) {
    const Result<Address, Problem> admin = parse_address(*flags.admin);
    if (!admin) return applier.blame("--admin", admin.error());
    options->chaos.admin = *admin;
    options->chaos.has_admin = true;
  }
  const char* token = ::getenv("WEIR_ADMIN_TOKEN");
  options->chaos.admin_token = token != nullptr ? token : "";
}

}  // namespace

std::vector<Problem> apply_bench_flags(const BenchFlags& flags, BenchOptions* options) {
  std::vector<Problem> problems;
  BenchApplier applier(problems);
  apply_targets(flags, options, applier);
  apply_kind(flags, options, applier);
  apply_bounds(flags, options, applier);
  apply_sweep(flags, options, applier);
  apply_bench_work(flags, options, applier);
  apply_chaos(flags, options, applier, problems);
  options->progress = ProgressLine::suitable();
  if (flags.progress == "off") options->progress = ProgressLine::Kind::off;
  if (flags.progress == "lines") options->progress = ProgressLine::Kind::lines;
  if (flags.progress && *flags.progress != "off" && *flags.progress != "lines" &&
      *flags.progress != "auto") {
    applier.blame("--progress", {"unknown value", "write auto, lines or off"});
  }
  return problems;
}

ReportOptions report_options(const BenchFlags& flags) {
  ReportOptions report;
  report.slo = flags.slo;
  report.goodput = flags.goodput;
  report.fail_on = flags.fail_on;
  report.metadata = flags.metadata;
  report.out = flags.out.value_or("");
  report.jsonl = flags.jsonl.value_or("");
  report.html = flags.html.value_or("");
  report.markdown = flags.markdown.value_or("");
  report.junit = flags.junit.value_or("");
  report.percentiles = flags.percentiles.value_or("");
  if (flags.api_key) report.secrets.push_back(*flags.api_key);
  // A server may repeat it in an error: "Authorization: Bearer KEY" is known by its last word.
  for (const std::string& header : flags.headers) {
    report.secrets.push_back(header.substr(header.find_last_of(": ") + 1));
  }
  report.json = flags.json;
  report.allow_failed = flags.allow_failed;
  report.detailed = flags.detailed;
  return report;
}

std::vector<std::string> mask_keys(std::vector<std::string> arguments) {
  bool is_secret = false;
  for (std::string& argument : arguments) {
    const bool is_header = argument == "-H" || argument == "--header";
    if (is_secret) argument = "***";
    if (argument.starts_with("--api-key=")) argument = "--api-key=***";
    if (argument.starts_with("--header=")) argument = "--header=***";
    if (argument.starts_with("-H") && argument.size() > 2) argument = "-H***";
    is_secret = is_header || argument == "--api-key";
  }
  return arguments;
}

}  // namespace weir
