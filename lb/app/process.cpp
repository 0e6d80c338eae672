#include "lb/app/process.h"

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

class ServeProcess {
 public:
  explicit ServeProcess(const Config& config)
      : config_(config),
        signals_(loop_, {SIGTERM, SIGINT}, bind<&ServeProcess::on_signal>(this)),
        service_(loop_, config, {}),
        patience_(loop_.timers(), bind<&ServeProcess::on_patience_over>(this)) {}

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
    tell_service_manager("READY=1\nSTATUS=serving");
    loop_.run();
    service_.stop();
    log_info("stopped");
    return 0;
  }

 private:
  void on_signal(int number) {
    if (is_draining_) {
      log_warning(fmt::format("a second signal: ending now, {} requests are cut",
                              service_.exchanges_in_flight()));
      loop_.stop();
      return;
    }
    is_draining_ = true;
    log_info(fmt::format("{}: draining, {} requests in flight",
                         number == SIGTERM ? "SIGTERM" : "SIGINT", service_.exchanges_in_flight()));
    tell_service_manager("STOPPING=1\nSTATUS=draining");
    service_.drain(bind<&ServeProcess::on_drained>(this));
    patience_.start(config_.drain.timeout);
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
  return ServeProcess(fitting).run();
}

}  // namespace weir
