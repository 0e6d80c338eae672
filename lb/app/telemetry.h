// What is written down about exchanges: metrics always, the access log if it is on. Each worker
// reports to an observer of its own; who asks for the metrics gets the sum. Owned by
// BalancerService. Main loop's thread, but for the workers' observers.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lb/admin/metrics_source.h"
#include "lb/config/config.h"
#include "lb/net/event_loop.h"
#include "lb/observe/access_log.h"
#include "lb/observe/line_output.h"
#include "lb/observe/metrics.h"

namespace weir {

class Telemetry final : public MetricsSource, public BackendObserver {
 public:
  // `hook`, if there is one, hears every exchange too, on its worker's thread.
  Telemetry(EventLoop& loop, const Config& config, ExchangeObserver* hook);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry();

  Result<Ok, Problem> start();  // opens the access log's file
  // After log rotation: a new file under the old name. False: there is no file.
  Result<bool, Problem> reopen();
  // For one more worker, after start() and before it runs; stays as long as this.
  WorkerObserver& add_worker();

  Metrics metrics() const override;
  void on_backend_event(const BackendEvent& event) noexcept override;

 private:
  class OfWorker;
  void flush();

  const AccessLogConfig& config_;
  ExchangeObserver* hook_;
  const std::string pool_;
  Metrics backend_metrics_;  // what backends did by themselves
  std::unique_ptr<LineOutput> output_;
  std::vector<std::unique_ptr<OfWorker>> workers_;
  Task pending_;
  Timer again_;  // a pipe that was full
};

}  // namespace weir
