// The access log: one JSON line at the end of each exchange, never prompt or answer text. `ts` is
// when the request had come,
// `*_ms` are milliseconds; what is not known is null. One a worker, over the output of all; its
// worker's thread only.
#pragma once

#include <string>

#include "weir/observer.h"

#include "lb/observe/line_output.h"
#include "lb/observe/wall_time.h"

namespace weir {

// The line without its newline, at the end of `out`.
void append_access_line(std::string& out, const ExchangeReport& report, const WallTime& wall);

class AccessLog final : public ExchangeObserver {
 public:
  // The output outlives the log.
  AccessLog(LineOutput& output, const WallTime& wall) : output_(output), wall_(wall) {}

  void on_exchange(const ExchangeReport& report) noexcept override;

 private:
  LineOutput& output_;
  const WallTime wall_;
  std::string line_;
};

}  // namespace weir
