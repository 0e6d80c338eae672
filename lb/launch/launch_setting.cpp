#include "lb/launch/launch_setting.h"

#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>

#include <fmt/core.h>

#include "discovery/local_process.h"
#include "discovery/srun_step.h"

namespace weir {
namespace {

constexpr uint32_t kGraceSeconds = 10;  // between SIGTERM and SIGKILL of a server

int64_t unix_now() {
  using std::chrono::system_clock;
  return system_clock::to_time_t(system_clock::now());
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : fmt::format("{}", ::getuid());
}

}  // namespace

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

LiveLinesOptions live_lines_options(const Environment& environment) {
  LiveLinesOptions options;
  const auto terminal = environment.find("TERM");
  const bool is_dumb =
      terminal == environment.end() || terminal->second == "dumb" || terminal->second.empty();
  options.redraws = ::isatty(2) == 1 && !is_dumb;
  const auto no_colour = environment.find("NO_COLOR");
  options.has_colour =
      options.redraws && (no_colour == environment.end() || no_colour->second.empty());
  winsize size{};
  if (::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 && size.ws_row > 4) {
    options.width = size.ws_col;
    options.height = size.ws_row;
  }
  return options;
}

ReplicaSetOptions replica_set_options(const LaunchSetting& setting) {
  ReplicaSetOptions options;
  options.api_key = setting.key;
  if (!setting.options.model.empty()) options.models = {setting.options.model};
  options.replica.start_timeout = setting.options.start_timeout;
  options.replica.restarts = setting.options.restarts;
  options.replica.log_dir = setting.options.log_dir;
  options.replica.log_prefix = setting.layout.is_slurm ? "weir-" + setting.layout.allocation.job_id
                                                       : fmt::format("weir-{}", ::getpid());
  return options;
}

std::unique_ptr<ReplicaStarter> make_starter(EventLoop& loop, const LaunchSetting& setting) {
  const ReplicaServeOptions serve{setting.options.serve, kGraceSeconds, !setting.layout.is_slurm};
  if (!setting.layout.is_slurm) {
    return make_local_starter(loop,
                              {serve, setting.environment, setting.key, setting.own_host, {}});
  }
  return make_srun_starter(loop, {setting.layout.allocation,
                                  setting.layout.options,
                                  serve,
                                  setting.environment,
                                  setting.key,
                                  setting.own_host,
                                  {}});
}

std::string base_url(Address address) {
  if (address.host.empty() || address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return fmt::format("http://{}/v1", to_string(address));
}

PublishedRun published_run(const LaunchSetting& setting, const ReplicaSet& replicas,
                           const std::string& url, TimePoint now) {
  PublishedRun run;
  run.job = setting.layout.is_slurm ? setting.layout.allocation.job_id : "";
  run.owner = user_name();
  run.host = host_name();
  run.pid = ::getpid();
  run.started = unix_now();
  run.end_time = setting.layout.allocation.end_time;
  run.model = setting.options.model;
  run.url = url;
  run.api_key = setting.key;
  for (const auto& replica : replicas.replicas()) {
    const ReplicaStatus& status = replica->status();
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - status.since).count();
    run.replicas.push_back({status.id, status.host, status.port, status.node, status.gpus,
                            status.step, std::string(to_string(status.state)), unix_now() - age});
  }
  return run;
}

}  // namespace weir
