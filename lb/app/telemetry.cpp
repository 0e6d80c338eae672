#include "lb/app/telemetry.h"

#include <unistd.h>

#include <optional>

namespace weir {
namespace {

constexpr Duration kAgain = std::chrono::milliseconds(50);

std::unique_ptr<LineOutput> make_output(AccessLogConfig::Output where) {
  switch (where) {
    case AccessLogConfig::Output::off:
      return nullptr;
    case AccessLogConfig::Output::out:
      return std::make_unique<LineOutput>(STDOUT_FILENO);
    case AccessLogConfig::Output::err:
      return std::make_unique<LineOutput>(STDERR_FILENO);
    case AccessLogConfig::Output::file:
      return std::make_unique<LineOutput>(-1);
  }
  return nullptr;
}

}  // namespace

class Telemetry::OfWorker final : public WorkerObserver {
 public:
  OfWorker(const std::string& pool, LineOutput* output, ExchangeObserver* hook)
      : metrics_(pool), hook_(hook) {
    if (output != nullptr) access_log_.emplace(*output, WallTime::now());
  }

  void on_exchange(const ExchangeReport& report) noexcept override {
    {
      const std::lock_guard lock(mutex_);  // nobody else wants it, but for a scrape
      metrics_.on_exchange(report);
    }
    if (access_log_) access_log_->on_exchange(report);
    if (hook_ != nullptr) hook_->on_exchange(report);
  }

  void on_loop_lag(Duration lag) noexcept override {
    const std::lock_guard lock(mutex_);
    metrics_.on_loop_lag(lag);
  }

  void add_to(Metrics& sum) const {
    const std::lock_guard lock(mutex_);
    sum.add(metrics_);
  }

 private:
  mutable std::mutex mutex_;
  Metrics metrics_;  // guarded by mutex_
  std::optional<AccessLog> access_log_;
  ExchangeObserver* hook_;
};

Telemetry::Telemetry(EventLoop& loop, const Config& config, ExchangeObserver* hook)
    : config_(config.log.access),
      hook_(hook),
      pool_(config.pool.name),
      backend_metrics_(pool_),
      output_(make_output(config_.output)),
      pending_(loop, bind<&Telemetry::flush>(this)),
      again_(loop.timers(), bind<&Telemetry::flush>(this)) {}

Telemetry::~Telemetry() = default;

Result<Ok, Problem> Telemetry::start() {
  if (!output_) return Ok{};
  if (config_.output == AccessLogConfig::Output::file) {
    if (Result<Ok, Problem> opened = output_->open(config_.path); !opened) return opened.error();
  }
  output_->set_on_pending(bind<&Task::post>(&pending_));
  return Ok{};
}

Result<bool, Problem> Telemetry::reopen() {
  if (!output_ || config_.output != AccessLogConfig::Output::file) return false;
  if (Result<Ok, Problem> opened = output_->reopen(); !opened) return opened.error();
  return true;
}

WorkerObserver& Telemetry::add_worker() {
  workers_.push_back(std::make_unique<OfWorker>(pool_, output_.get(), hook_));
  return *workers_.back();
}

Metrics Telemetry::metrics() const {
  Metrics sum = backend_metrics_;
  for (const std::unique_ptr<OfWorker>& worker : workers_) worker->add_to(sum);
  return sum;
}

void Telemetry::on_backend_event(const BackendEvent& event) noexcept {
  backend_metrics_.on_backend_event(event);
}

void Telemetry::flush() {
  if (!output_->flush()) again_.start(kAgain);
}

}  // namespace weir
