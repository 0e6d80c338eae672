// What breaks on purpose while a run goes on: a command of this machine, or an order to a running
// weir, each at its time. Commands run without our waiting, at most 64 of them; what is still
// running at the end of the run gets SIGTERM. Main thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/address.h"
#include "weir/result.h"
#include "weir/timer.h"

#include "bench/record/run_record.h"
#include "lb/net/event_loop.h"
#include "lb/net/subprocess.h"

namespace weir {

struct ChaosAction {
  enum class Kind : uint8_t { exec, post } kind = Kind::exec;
  double at_s = 0;
  std::string text;     // as given, without the time
  std::string command;  // exec: for /bin/sh -c
  std::string path;     // post: of the admin side
};

inline constexpr size_t kMostActions = 64;

// "30s drain n01-0", "45s undrain n01-0", "60s exec kill 123".
Result<ChaosAction, Problem> parse_action(std::string_view text);

// Of the run as a whole. The admin side is that of the weir that is tested.
struct ChaosOptions {
  std::vector<ChaosAction> actions;
  Address admin;
  bool has_admin = false;
  std::string admin_token;
};

class Chaos {
 public:
  Chaos(EventLoop& loop, const ChaosOptions& options, TimePoint epoch);
  Chaos(const Chaos&) = delete;
  Chaos& operator=(const Chaos&) = delete;
  ~Chaos();

  void end();  // nothing begins any more; what runs is told to end
  std::vector<ChaosRecord> records() const;

 private:
  class Running;
  void arm();
  void on_due();

  EventLoop& loop_;
  const ChaosOptions& options_;
  const TimePoint epoch_;
  std::vector<std::unique_ptr<Running>> actions_;  // by time
  size_t next_ = 0;
  Timer timer_;
};

}  // namespace weir
