#include "discovery/replica_wrapper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>

#include <fmt/core.h>

#include "discovery/gpu_share.h"
#include "discovery/own_address.h"
#include "discovery/port_choice.h"
#include "discovery/replica_report.h"
#include "discovery/serve_template.h"
#include "discovery/served_process.h"
#include "lb/net/socket.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// One write: whole lines stay whole among the server's own. A line the server left unended does not
// swallow ours.
void say(std::string_view line, bool is_first = false) {
  const std::string text = fmt::format("{}{}\n", is_first ? "" : "\n", line);
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(1, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody listens any more; the lifeline will say so
    written += static_cast<size_t>(n);
  }
}

std::string read_small_file(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  const ssize_t n = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  return n <= 0 ? std::string() : std::string(text.data(), static_cast<size_t>(n));
}

uint32_t random_seed() {
  uint32_t seed = static_cast<uint32_t>(::getpid());
  [[maybe_unused]] const ssize_t n = ::getrandom(&seed, sizeof seed, 0);
  return seed;
}

std::string value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// Equal for the replicas of a run, so that their bases differ by their local index.
uint32_t run_seed(const Environment& environment) {
  const std::string job = value_of(environment, "SLURM_JOB_ID");
  uint32_t seed = job.empty() ? static_cast<uint32_t>(::getppid()) : 0;
  for (const char c : job) seed = seed * 31 + static_cast<unsigned char>(c);
  return seed;
}

// GPUs we may open: with device cgroups only the job's.
uint32_t count_devices() {
  uint32_t count = 0;
  for (int i = 0; i < 64; ++i) {
    const UniqueFd fd(::open(fmt::format("/dev/nvidia{}", i).c_str(), O_RDWR | O_CLOEXEC));
    if (fd) ++count;
  }
  return count;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

struct Assignment {
  ReplicaReport report;
  Environment environment;  // of the server
  std::string command;
};

Result<uint16_t, Problem> choose_port(const ReplicaWrapperOptions& options) {
  const auto ephemeral =
      parse_port_range(read_small_file("/proc/sys/net/ipv4/ip_local_port_range"));
  const PortRange range = listening_range(ephemeral.value_or(PortRange{32768, 60999}));
  const auto port = find_free_port(range, options.index, random_seed());
  if (!port) {
    return Problem{fmt::format("no free port between {} and {}", range.low, range.high),
                   "is the node full of servers?"};
  }
  return *port;
}

std::string choose_host(const ReplicaWrapperOptions& options, const Environment& environment) {
  if (options.is_local) return "127.0.0.1";
  return own_address(value_of(environment, "SLURM_LAUNCH_NODE_IPADDR"));
}

ServeValues serve_values(const ReplicaWrapperOptions& options, const ReplicaReport& report,
                         const Environment& environment) {
  ServeValues values;
  values.host = report.address.empty() ? "0.0.0.0" : report.address;
  values.port = fmt::format("{}", report.port);
  values.gpu = report.gpus.empty() ? fmt::format("{}", options.local_index) : report.gpus;
  values.replica = fmt::format("{}", options.index);
  values.node = options.node;
  values.api_key = value_of(environment, "VLLM_API_KEY");
  return values;
}

// For servers that are started by a script and so see no placeholders.
void export_values(const ServeValues& values, const ReplicaWrapperOptions& options,
                   Environment& environment) {
  environment["WEIR_HOST"] = values.host;
  environment["WEIR_PORT"] = values.port;
  environment["WEIR_GPU"] = values.gpu;
  environment["WEIR_REPLICA"] = values.replica;
  environment["WEIR_REPLICA_ID"] = options.id;
  environment["WEIR_NODE"] = values.node;
  environment["PYTHONUNBUFFERED"] = "1";
  environment.erase("WEIR_REPLICA_SH");
  const auto vllm_port = find_vllm_port(options.index, run_seed(environment));
  if (vllm_port) environment["VLLM_PORT"] = fmt::format("{}", *vllm_port);
}

Result<Assignment, Problem> assign(const ReplicaWrapperOptions& options) {
  Assignment result;
  result.environment = current_environment();
  const auto share =
      take_gpus(result.environment, options.first_gpu, options.gpus, count_devices());
  if (!share) return share.error();
  const auto port = choose_port(options);
  if (!port) return port.error();
  for (const auto& [name, value] : share.value().variables) result.environment[name] = value;
  const std::string job = value_of(result.environment, "SLURM_JOB_ID");
  const std::string step = value_of(result.environment, "SLURM_STEP_ID");
  result.report.host = host_name();
  result.report.address = choose_host(options, result.environment);
  result.report.port = port.value();
  result.report.gpus = share.value().gpus;
  if (!job.empty() && !step.empty() && !options.is_local) result.report.step = job + "." + step;
  const ServeValues values = serve_values(options, result.report, result.environment);
  export_values(values, options, result.environment);
  result.command = fill_serve(options.serve, values);
  return result;
}

// Waits for the server's end, the lifeline's end and signals.
class Supervisor {
 public:
  Supervisor(ServedProcess& server, int signals, uint32_t grace_seconds)
      : server_(server), signals_(signals), grace_(grace_seconds) {}

  int run() {
    while (!server_.has_ended()) {
      std::array<pollfd, 2> watched{pollfd{signals_, POLLIN, 0}, pollfd{lifeline_, POLLIN, 0}};
      const int ready = ::poll(watched.data(), lifeline_ >= 0 ? 2 : 1, patience_ms());
      if (ready < 0 && errno != EINTR) break;
      if (ready > 0 && watched[0].revents != 0) read_signals();
      if (ready > 0 && lifeline_ >= 0 && watched[1].revents != 0) read_lifeline();
      if (deadline_ && Clock::now() >= *deadline_) server_.signal(SIGKILL);
    }
    if (deadline_) await_group();
    return server_.exit_code();
  }

 private:
  // The shell that ran a compound command dies of SIGTERM at once; the server below it still has
  // its grace.
  void await_group() {
    while (server_.has_group() && Clock::now() < *deadline_) ::poll(nullptr, 0, 20);
  }

  int patience_ms() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now());
    // Behind the deadline the kill is repeated: a process in a system call may take its time.
    return left.count() > 0 ? static_cast<int>(left.count()) : 200;
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGCHLD) continue;
      if (!deadline_) say(kTerminatedLine);
      terminate();
    }
  }

  void read_lifeline() {
    std::array<char, 512> ignored{};
    const ssize_t n = ::read(lifeline_, ignored.data(), ignored.size());
    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) return;
    lifeline_ = -1;
    terminate();
  }

  void terminate() {
    if (deadline_) return;
    deadline_ = Clock::now() + std::chrono::seconds(grace_);
    server_.signal(SIGTERM);
    server_.signal(SIGCONT);
  }

  ServedProcess& server_;
  int signals_;
  int lifeline_ = 0;  // -1: at its end
  uint32_t grace_;
  std::optional<Clock::time_point> deadline_;  // set once it is to stop
};

UniqueFd block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int fail(const Problem& problem) {
  say(format_problem(problem));
  return kReplicaCannotStart;
}

}  // namespace

int run_replica_wrapper(const ReplicaWrapperOptions& options) {
  if (options.is_trial) return 0;
  const UniqueFd signals = block_signals();
  if (!signals) return fail({fmt::format("signalfd: {}", ::strerror(errno)), ""});
  const auto assignment = assign(options);
  if (!assignment) return fail(assignment.error());
  say(format_report(assignment.value().report), true);
  ServedProcess server;
  const auto started = server.start(assignment.value().command, assignment.value().environment);
  if (!started) return fail(started.error());
  const int code = Supervisor(server, signals.get(), options.grace_seconds).run();
  server.clean_up();
  say(format_end(code));
  return code;
}

}  // namespace weir
