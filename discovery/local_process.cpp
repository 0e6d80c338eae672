#include "discovery/local_process.h"

#include "weir/timer.h"

#include "discovery/replica_child.h"
#include "discovery/replica_environment.h"

namespace weir {
namespace {

class LocalStarter final : public ReplicaStarter {
 public:
  LocalStarter(EventLoop& loop, LocalProcessOptions options)
      : loop_(loop),
        options_(std::move(options)),
        environment_(
            replica_environment(options_.environment, options_.api_key, {options_.own_host})),
        swept_(loop.timers(), bind<&LocalStarter::on_swept>(this)) {}

  std::vector<std::string> command(const PlannedReplica& replica) const override {
    std::vector<std::string> argv{options_.weir_path, std::string(kReplicaWrapperCommand)};
    const auto arguments = replica_wrapper_arguments(wrapper_options(replica, options_.serve));
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  Result<std::unique_ptr<ReplicaProcess>, Problem> start(const PlannedReplica& replica,
                                                         ReplicaProcessUser& user) override {
    ReplicaChildOptions child;
    child.grace = std::chrono::seconds(options_.serve.grace_seconds);
    child.node = replica.node;
    auto process = std::make_unique<ReplicaChild>(loop_, user, std::move(child));
    SubprocessOptions subprocess;
    subprocess.argv = command(replica);
    subprocess.environment = as_lines(environment_);
    subprocess.input = SubprocessOptions::Input::pipe;
    const auto started = process->start(subprocess);
    if (!started) return started.error();
    return std::unique_ptr<ReplicaProcess>(std::move(process));
  }

  // The wrapper leaves nothing behind: when all have ended there is nothing to look for.
  void sweep(Callback<const ReplicaSweep&> done) override {
    done_ = done;
    swept_.start(Duration::zero());
  }

 private:
  void on_swept() { done_(ReplicaSweep{}); }

  EventLoop& loop_;
  const LocalProcessOptions options_;
  const Environment environment_;
  Callback<const ReplicaSweep&> done_;
  Timer swept_;
};

}  // namespace

std::unique_ptr<ReplicaStarter> make_local_starter(EventLoop& loop, LocalProcessOptions options) {
  // The file itself, even when it was renamed or rebuilt meanwhile.
  if (options.weir_path.empty()) options.weir_path = "/proc/self/exe";
  options.serve.is_local = true;
  return std::make_unique<LocalStarter>(loop, std::move(options));
}

}  // namespace weir
