#include "lb/app/telemetry.h"

#include <unistd.h>

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

Telemetry::Telemetry(EventLoop& loop, const Config& config, Observers& observers)
    : config_(config.log.access),
      observers_(observers),
      metrics_(config.pool.name),
      output_(make_output(config_.output)),
      pending_(loop, bind<&Telemetry::flush>(this)),
      again_(loop.timers(), bind<&Telemetry::flush>(this)) {
  observers_.add(static_cast<ExchangeObserver*>(&metrics_));
  observers_.add(static_cast<BackendObserver*>(&metrics_));
}

Telemetry::~Telemetry() = default;

Result<Ok, Problem> Telemetry::start() {
  if (!output_) return Ok{};
  if (config_.output == AccessLogConfig::Output::file) {
    if (Result<Ok, Problem> opened = output_->open(config_.path); !opened) return opened.error();
  }
  output_->set_on_pending(bind<&Task::post>(&pending_));
  access_log_ = std::make_unique<AccessLog>(*output_, WallTime::now());
  observers_.add(static_cast<ExchangeObserver*>(access_log_.get()));
  return Ok{};
}

void Telemetry::flush() {
  if (!output_->flush()) again_.start(kAgain);
}

}  // namespace weir
