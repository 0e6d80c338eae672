#include "bench/mock/mock_server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "bench/mock/pretend_server.h"
#include "lb/net/signals.h"

namespace weir {
namespace {

constexpr int kInterrupted = 130;
constexpr size_t kMostQueuedBytes = size_t{1} << 30;  // of all connections together

class MockProcess final : public PretendServerUser {
 public:
  explicit MockProcess(const MockOptions& options)
      : options_(options),
        pool_(kMostQueuedBytes),
        signals_(loop_, {SIGTERM, SIGINT}, bind<&MockProcess::on_signal>(this)) {}

  int run() {
    for (const Address& address : options_.listen) {
      servers_.push_back(std::make_unique<PretendServer>(loop_, pool_, options_, *this));
      const Result<Ok, Problem> started = servers_.back()->start(address);
      if (started) continue;
      fmt::print(stderr, "weir: error: {}\nhelp: {}\n", started.error().what, started.error().help);
      return 1;
    }
    loop_.run();
    return exit_code_;
  }

  void on_died(PretendServer&) override {
    if (servers_.size() == 1) ::_exit(1);
    exit_code_ = 1;
    stop_if_all_stopped();
  }

  void on_stopped(PretendServer&) override {
    exit_code_ = 0;
    stop_if_all_stopped();
  }

 private:
  void on_signal(int number) {
    ++signals_seen_;
    if (number == SIGINT && signals_seen_ > 1) {
      exit_code_ = kInterrupted;
      loop_.stop();
      return;
    }
    for (const auto& server : servers_) server->terminate(options_.on_term);
  }

  void stop_if_all_stopped() {
    if (std::ranges::all_of(servers_, &PretendServer::is_stopped)) loop_.stop();
  }

  const MockOptions& options_;
  EventLoop loop_;
  BlockPool pool_;
  Signals signals_;
  std::vector<std::unique_ptr<PretendServer>> servers_;
  int signals_seen_ = 0;
  int exit_code_ = 0;
};

}  // namespace

int run_mock(const MockOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  MockOptions complete = options;
  const char* key = ::getenv("VLLM_API_KEY");
  if (complete.api_key.empty() && key != nullptr) complete.api_key = key;
  return MockProcess(complete).run();
}

}  // namespace weir
