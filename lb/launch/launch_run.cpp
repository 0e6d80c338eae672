#include "lb/launch/launch_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "discovery/own_address.h"
#include "discovery/run_key.h"
#include "lb/app/descriptor_limit.h"
#include "lb/launch/command_template.h"
#include "lb/launch/launch_layout.h"
#include "lb/launch/launch_session.h"
#include "lb/net/socket.h"

namespace weir {
namespace {

constexpr int kUsage = 2;

int refuse(const Problem& problem, int exit_code) {
  fmt::print(stderr, "weir: error: {}\n", problem.what);
  if (!problem.help.empty()) fmt::print(stderr, "help: {}\n", problem.help);
  return exit_code;
}

// mkdir -p, readable by us only: logs may hold prompts.
Result<Ok, Problem> make_directory(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    ::mkdir(path.substr(0, end).c_str(), 0777);
  }
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Ok{};
  return Problem{fmt::format("cannot make the directory for logs {}: {}", path, ::strerror(errno)),
                 "choose another with --log-dir DIR"};
}

// Where weir listens: a free port of loopback unless told otherwise.
Result<ListenerConfig, Problem> choose_listener(const LaunchOptions& options) {
  ListenerConfig listener =
      options.config.listen.empty() ? ListenerConfig{} : options.config.listen.front();
  listener.address = {"127.0.0.1", 0, false};
  if (options.listen.empty()) return listener;
  Result<Address, Problem> address = parse_listen_address(options.listen);
  if (!address) return address.error();
  if (address->is_unix) {
    return Problem{
        "--listen " + options.listen + ": COMMAND needs a URL, and a unix socket has none",
        "give --listen HOST:PORT"};
  }
  listener.address = std::move(*address);
  return listener;
}

std::string parent_name() {
  const UniqueFd fd(
      ::open(fmt::format("/proc/{}/comm", ::getppid()).c_str(), O_RDONLY | O_CLOEXEC));
  char name[64];
  const ssize_t n = fd ? ::read(fd.get(), name, sizeof name) : 0;
  std::string out(name, n > 0 ? static_cast<size_t>(n) : 0);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// Results go to stdout: what would be run, without a key anywhere.
int print_plan(const LaunchSetting& setting) {
  EventLoop loop;
  const std::unique_ptr<ReplicaStarter> starter = make_starter(loop, setting);
  fmt::print("{}\n", describe(setting.layout));
  for (const PlannedReplica& replica : setting.layout.plan.replicas) {
    std::string gpus = "no GPU";
    if (replica.gpus == 1) gpus = fmt::format("GPU {} of {}", replica.first_gpu, replica.node_gpus);
    if (replica.gpus > 1) {
      gpus = fmt::format("GPUs {}-{} of {}", replica.first_gpu,
                         replica.first_gpu + replica.gpus - 1, replica.node_gpus);
    }
    fmt::print("  {:<14} node {:<16} {}\n", replica.id, replica.node, gpus);
  }
  fmt::print("\n");
  for (const PlannedReplica& replica : setting.layout.plan.replicas) {
    fmt::print("{}\n", shell_quoted(starter->command(replica)));
  }
  const LaunchOptions& options = setting.options;
  if (!options.command.empty()) {
    const size_t planned = setting.layout.plan.replicas.size();
    const CommandValues values{"http://127.0.0.1:PORT/v1", options.model,
                               uint64_t{options.concurrency_per_replica} * planned,
                               static_cast<uint32_t>(planned)};
    fmt::print("\n{}\n", shell_quoted(fill_command(options.command, values)));
  }
  for (const std::string& remark : setting.layout.remarks)
    fmt::print(stderr, "weir: note: {}\n", remark);
  return ::fflush(stdout) == 0 ? 0 : 1;
}

// Everything that can be known before something is started.
Result<LaunchSetting, Problem> prepare(const LaunchOptions& options) {
  LaunchSetting setting;
  setting.options = options;
  setting.environment = current_environment();
  struct sigaction hangup {};
  setting.ignores_hangup =
      ::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  if (const auto checked = check_command(options.command, options.model); !checked)
    return checked.error();
  Result<ListenerConfig, Problem> listener = choose_listener(options);
  if (!listener) return listener.error();
  Result<RunLayout, Problem> layout = lay_out_run(options, setting.environment);
  if (!layout) return layout.error();
  const bool is_loopback = listener->address.host == "127.0.0.1" ||
                           listener->address.host == "localhost" || listener->address.host == "::1";
  if (!is_loopback && options.command.empty() && options.publish.empty()) {
    layout->remarks.emplace_back(
        "clients need the key of the run: --publish FILE writes it down for you");
  }
  setting.options.config.listen = {std::move(*listener)};
  setting.layout = std::move(*layout);
  setting.own_host = own_address("");
  if (setting.options.log_dir.empty()) setting.options.log_dir = "weir-logs";
  const bool has_terminal = ::isatty(0) == 1 || ::isatty(2) == 1;
  if (std::string warning = missing_exec(setting.environment, parent_name(), has_terminal);
      !warning.empty()) {
    setting.layout.remarks.push_back(std::move(warning));
  }
  return setting;
}

}  // namespace

int run_launch(const LaunchOptions& options) {
  Result<LaunchSetting, Problem> setting = prepare(options);
  if (!setting) return refuse(setting.error(), kUsage);
  if (options.plan) return print_plan(*setting);
  if (!options.command.empty()) {
    const auto path = setting->environment.find("PATH");
    const auto found =
        find_program(options.command[0], path == setting->environment.end() ? "" : path->second);
    if (!found) return refuse(found.error(), LaunchSession::kFailed);
  }
  if (const auto made = make_directory(setting->options.log_dir); !made) {
    return refuse(made.error(), LaunchSession::kFailed);
  }
  Result<std::string, Problem> key = make_run_key();
  if (!key) return refuse(key.error(), LaunchSession::kFailed);
  setting->key = std::move(*key);
  ::signal(SIGPIPE, SIG_IGN);
  Config& config = setting->options.config;
  const auto room = room_for_clients(raise_descriptor_limit(), config.max_connections);
  if (!room) return refuse(room.error(), LaunchSession::kFailed);
  config.max_connections = *room;
  LaunchSession session(std::move(*setting));
  return session.run();
}

}  // namespace weir
