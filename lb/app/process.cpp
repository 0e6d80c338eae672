#include "lb/app/process.h"

#include <fcntl.h>
#include <signal.h>

#include <cstdio>

#include <fmt/core.h>

#include "weir/log.h"

#include "lb/app/descriptor_limit.h"
#include "lb/app/service.h"
#include "lb/app/service_manager.h"
#include "lb/net/signals.h"

namespace weir {
namespace {

bool has_terminal() {
  return UniqueFd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

class ServeProcess {
 public:
  // `ignores_hangup`: somebody (nohup) asked for it before we were started.
  ServeProcess(const Config& config, bool ignores_hangup)
      : config_(config),
        signals_(loop_, {SIGTERM, SIGINT, SIGHUP}, bind<&ServeProcess::on_signal>(this)),
        service_(loop_, config, {}),
        patience_(loop_.timers(), bind<&ServeProcess::on_patience_over>(this)),
        leaves_with_terminal_(!ignores_hangup && has_terminal()) {}

  int run() {
    if (const Result<Ok, Problem> started = service_.start(); !started) {
      fmt::print(stderr, "weir: error: {}\n", started.error().what);
      if (!started.error().help.empty()) fmt::print(stderr, "help: {}\n", started.error().help);
      return 1;
    }
    for (const Address& address : service_.listening()) {
      log_info(fmt::format("listening on {}",
                           address.is_unix ? to_string(address) : "http://" + to_string(address)));
    }
    if (config_.admin.where == AdminConfig::Where::address) {
      log_info("admin side on " + service_.admin_address());
    }
    tell_service_manager("READY=1\nSTATUS=serving");
    loop_.run();
    service_.stop();
    log_info("stopped");
    return 0;
  }

 private:
  void on_signal(int number) {
    if (number == SIGHUP && !has_lost_terminal()) return reopen_access_log();
    if (is_draining_) {
      log_warning(fmt::format("a second signal: ending now, {} requests are cut",
                              service_.exchanges_in_flight()));
      loop_.stop();
      return;
    }
    is_draining_ = true;
    log_info(fmt::format("{}: draining, {} requests in flight",
                         number == SIGTERM  ? "SIGTERM"
                         : number == SIGINT ? "SIGINT"
                                            : "the terminal is gone",
                         service_.exchanges_in_flight()));
    tell_service_manager("STOPPING=1\nSTATUS=draining");
    service_.drain(bind<&ServeProcess::on_drained>(this));
    patience_.start(config_.drain.timeout);
  }

  // SIGHUP means two things: log rotation, and that whoever started us at a terminal has left.
  bool has_lost_terminal() const { return leaves_with_terminal_ && !has_terminal(); }

  void reopen_access_log() {
    const Result<bool, Problem> opened = service_.reopen_access_log();
    if (!opened) {
      log_warning(opened.error().what + "; the old file stays in use");
    } else {
      log_info(*opened ? "SIGHUP: " + config_.log.access.path + " is opened anew"
                       : std::string("SIGHUP: the access log is no file; nothing to open anew"));
    }
  }

  void on_drained() { loop_.stop(); }

  void on_patience_over() {
    log_warning(
        fmt::format("drain.timeout is over: {} requests are cut", service_.exchanges_in_flight()));
    loop_.stop();
  }

  const Config& config_;
  EventLoop loop_;
  Signals signals_;
  BalancerService service_;
  Timer patience_;
  const bool leaves_with_terminal_;
  bool is_draining_ = false;
};

}  // namespace

int run_serve(const Config& config) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto room = room_for_clients(raise_descriptor_limit(), config.max_connections);
  if (!room) {
    fmt::print(stderr, "weir: error: {}\nhelp: {}\n", room.error().what, room.error().help);
    return 1;
  }
  Config fitting = config;
  fitting.max_connections = *room;
  struct sigaction hangup {};
  const bool ignores_hangup =
      ::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  return ServeProcess(fitting, ignores_hangup).run();
}

}  // namespace weir
