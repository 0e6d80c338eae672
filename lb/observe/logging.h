// The operational log: lines on stderr with UTC time and level, or with the journal's priorities
// under systemd. spdlog lives in logging.cpp. One object a process, made before threads start and
// destroyed after they ended.
#pragma once

#include <memory>

#include "weir/log.h"

namespace weir {

class Logging final : public LogSink {
 public:
  explicit Logging(LogLevel threshold);  // becomes the process's log sink
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;
  ~Logging();

  void write(LogLevel level, std::string_view text) noexcept override;

 private:
  struct Lines;
  std::unique_ptr<Lines> lines_;
};

}  // namespace weir
