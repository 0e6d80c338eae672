// Runs replicas without a balancer, for tests of discovery against real processes and a real Slurm:
// `replica_driver run
// --serve CMD [--local N] [--gpus-per-replica N] [--grace S] [--log-dir D] [--restarts N]
// [--start-timeout S]`. Prints a line per event; reads "stop" or end of file from standard input. A
// replica counts as ready when its port takes a connection.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "discovery/local_process.h"
#include "discovery/replica_set.h"
#include "discovery/replica_wrapper.h"
#include "discovery/run_key.h"
#include "discovery/slurm_commands.h"
#include "discovery/srun_step.h"
#include "lb/net/event_loop.h"
#include "lb/net/io_event.h"
#include "lb/net/signals.h"
#include "lb/net/socket.h"

namespace weir {
namespace {

void print(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

struct Options {
  std::string serve;
  uint32_t local = 0;
  bool has_plan_only = false;
  bool ignores_sigterm = false;  // as when the batch script is in the way of scancel
  GpuBinding binding = GpuBinding::pick;
  ReplicaPlanOptions plan;
  ReplicaServeOptions serve_options;
  ReplicaSetOptions set;
  std::string weir_path;
};

class Driver final : public BackendSetSink, public ReplicaObserver {
 public:
  Driver(EventLoop& loop, ReplicaStarter& starter, ReplicaPlan plan, const Options& options)
      : loop_(loop),
        ignores_sigterm_(options.ignores_sigterm),
        set_(loop.timers(), starter, std::move(plan), options.set, *this),
        probe_(loop.timers(), bind<&Driver::on_probe>(this)),
        signals_(loop, {SIGTERM, SIGINT}, bind<&Driver::on_signal>(this)) {}

  int run() {
    set_.start(*this);
    probe_.start(std::chrono::milliseconds(50));
    if (!input_.add_level_readable(loop_, 0, bind<&Driver::on_input>(this))) return 1;
    loop_.run();
    return 0;
  }

 private:
  void publish(std::string_view, std::shared_ptr<const BackendSet> set, size_t pending) override {
    backends_ = std::move(set);
    print(fmt::format("set {} pending {}", backends_->size(), pending));
  }

  void on_replica_change(const ReplicaStatus& status) override {
    print(fmt::format("replica {} {} node={} gpus={} at={}:{} step={} restarts={} {}", status.id,
                      to_string(status.state), status.node, status.gpus, status.host, status.port,
                      status.step, status.restarts, status.reason));
    if (status.state != ReplicaState::failed) return;
    for (const std::string& line : status.last_lines) print("  | " + line);
  }
  void on_job_ending(const std::string& reason) override {
    print("job ending: " + reason);
    stop();
  }
  void on_all_failed() override {
    print("all failed");
    stop();
  }

  void on_probe() {
    for (const BackendSpec& spec : backends_->backends()) {
      const ReplicaStatus* status = set_.find(spec.id);
      if (status == nullptr || status->state != ReplicaState::loading) continue;
      if (answers(spec.address)) {
        set_.on_backend_event({spec.id, BackendStateName::loading, BackendStateName::ready, ""});
      }
    }
    probe_.start(std::chrono::milliseconds(100));
  }

  static bool answers(const Address& address) {
    const auto target = resolve(address);
    if (!target || target.value().empty()) return false;
    auto fd = begin_connect(target.value().front());
    if (!fd) return false;
    pollfd watched{fd.value().get(), POLLOUT, 0};
    return ::poll(&watched, 1, 200) > 0 && connect_result(fd.value().get()) == 0;
  }

  void on_input(Readiness) {
    char buffer[64];
    const ssize_t n = ::read(0, buffer, sizeof buffer);
    if (n <= 0) input_.remove();
    stop();
  }
  void on_signal(int) {
    if (!ignores_sigterm_) stop();
  }
  void stop() {
    probe_.cancel();
    set_.stop_all(bind<&Driver::on_stopped>(this));
  }
  void on_stopped(const ReplicaSweep& sweep) {
    print(fmt::format("stopped cancelled={} problem={}", sweep.cancelled.size(), sweep.problem));
    loop_.stop();
  }

  EventLoop& loop_;
  const bool ignores_sigterm_;
  std::shared_ptr<const BackendSet> backends_ = std::make_shared<const BackendSet>();
  ReplicaSet set_;
  Timer probe_;
  Signals signals_;
  IoEvent input_;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const std::string& value = arguments[i + 1];
    const auto number = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (name == "--serve") options.serve_options.serve = value;
    if (name == "--local") options.local = number;
    if (name == "--replicas") options.plan.replicas = number;
    if (name == "--gpus-per-replica") options.plan.gpus_per_replica = number;
    if (name == "--binding" && value == "slurm") options.plan.binding = GpuBinding::slurm;
    if (name == "--grace") options.serve_options.grace_seconds = number;
    if (name == "--log-dir") options.set.replica.log_dir = value;
    if (name == "--restarts") options.set.replica.restarts = number;
    if (name == "--start-timeout") options.set.replica.start_timeout = std::chrono::seconds(number);
    if (name == "--weir-path") options.weir_path = value;
    if (name == "--ignore-sigterm") options.ignores_sigterm = true;
    if (name == "--plan") options.has_plan_only = true;
  }
  options.set.replica.log_prefix = "weir";
  options.set.api_key = make_run_key().value();
  return options;
}

int fail(const Problem& problem) {
  print("error: " + problem.what + "\nhelp: " + problem.help);
  return 2;
}

int run_plan(EventLoop& loop, ReplicaStarter& starter, const ReplicaPlan& plan,
             const Options& options) {
  for (const std::string& remark : plan.remarks) print("remark: " + remark);
  if (options.has_plan_only) {
    for (const PlannedReplica& replica : plan.replicas)
      print(shell_quoted(starter.command(replica)));
    return 0;
  }
  return Driver(loop, starter, plan, options).run();
}

int run_local(EventLoop& loop, Options& options) {
  options.plan.replicas = options.local;
  auto plan = plan_local_replicas(0, options.plan);
  if (!plan) return fail(plan.error());
  LocalProcessOptions local;
  local.serve = options.serve_options;
  local.environment = current_environment();
  local.api_key = options.set.api_key;
  const auto starter = make_local_starter(loop, std::move(local));
  return run_plan(loop, *starter, plan.value(), options);
}

int run_slurm(EventLoop& loop, const Options& options) {
  const Environment environment = current_environment();
  auto allocation = read_allocation(environment);
  if (!allocation) return fail(allocation.error());
  const auto answer = ask_slurm(allocation.value(), environment, std::chrono::seconds(10));
  for (const std::string& remark : answer.remarks) print("remark: " + remark);
  auto plan = plan_replicas(answer.allocation, options.plan);
  if (!plan) return fail(plan.error());
  SrunOptions srun;
  srun.allocation = answer.allocation;
  srun.plan = options.plan;
  srun.serve = options.serve_options;
  srun.environment = environment;
  srun.api_key = options.set.api_key;
  srun.weir_path = options.weir_path;
  const auto starter = make_srun_starter(loop, std::move(srun));
  return run_plan(loop, *starter, plan.value(), options);
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 2, argv + std::max(argc, 2));
  if (argc > 1 && std::string_view(argv[1]) == weir::kReplicaWrapperCommand) {
    const auto options = weir::parse_replica_wrapper(arguments);
    return options ? weir::run_replica_wrapper(options.value()) : weir::fail(options.error());
  }
  weir::EventLoop loop;
  weir::Options options = weir::parse(arguments);
  return options.local > 0 ? weir::run_local(loop, options) : weir::run_slurm(loop, options);
}
