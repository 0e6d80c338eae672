// What is written down about exchanges: metrics always, the access log if it is on. Owned by
// BalancerService. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "lb/app/observers.h"
#include "lb/config/config.h"
#include "lb/net/event_loop.h"
#include "lb/observe/access_log.h"
#include "lb/observe/line_output.h"
#include "lb/observe/metrics.h"

namespace weir {

class Telemetry {
 public:
  Telemetry(EventLoop& loop, const Config& config, Observers& observers);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry();

  Result<Ok, Problem> start();  // opens the access log's file
  const Metrics& metrics() const { return metrics_; }

 private:
  void flush();

  const AccessLogConfig& config_;
  Observers& observers_;
  Metrics metrics_;
  std::unique_ptr<LineOutput> output_;
  std::unique_ptr<AccessLog> access_log_;
  Task pending_;
  Timer again_;  // a pipe that was full
};

}  // namespace weir
