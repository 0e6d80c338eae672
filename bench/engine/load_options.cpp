#include "bench/engine/load_options.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace weir {

std::string LoadOptions::to_string() const {
  switch (kind) {
    case LoadRecord::Kind::open:
      break;
    case LoadRecord::Kind::closed:
      return fmt::format("{} in flight", concurrency);
    case LoadRecord::Kind::users:
      return fmt::format("{} users, {} s to think", concurrency, think_s);
    case LoadRecord::Kind::trace:
      return fmt::format("a trace at speed {}", speed);
  }
  return arrivals.to_string();
}

LoadRecord to_record(const LoadOptions& load) {
  LoadRecord record;
  record.kind = load.kind;
  record.text = load.to_string();
  const bool is_open = load.kind == LoadRecord::Kind::open;
  if (is_open) {
    record.rate = load.arrivals.mean_rate();
    const double begin = load.arrivals.stages.front().begin;
    const double end = load.arrivals.stages.back().end;
    if (load.arrivals.stages.size() > 1 || begin != end) {
      record.rate_begin = begin;
      record.rate_end = end;
    }
    if (load.arrivals.kind == ArrivalOptions::Kind::gamma) {
      record.burstiness = load.arrivals.shape;
    }
    if (load.arrivals.kind == ArrivalOptions::Kind::constant) {
      record.burstiness = std::numeric_limits<double>::infinity();
    }
  }
  record.concurrency =
      is_open || load.kind == LoadRecord::Kind::trace ? load.asked_in_flight : load.concurrency;
  record.requests = load.requests;
  record.duration_s = load.duration_s;
  record.warm_up_s = load.warm_up_s;
  record.think_s = load.think_s;
  record.speed = load.speed;
  return record;
}

size_t RunPlan::proxies() const {
  const auto is_proxy = [](const BenchTarget& target) {
    return target.role == TargetRecord::Role::proxy;
  };
  return static_cast<size_t>(std::ranges::count_if(targets, is_proxy));
}

}  // namespace weir
