// The operational log as an interface; lb/observe fills it, everyone logs through it. Callers
// format (fmt) only after is_logged(). Any thread; the sink must be set before threads start and
// outlive them.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class LogLevel : uint8_t { debug, info, warning, error };

class LogSink {
 public:
  virtual void write(LogLevel level, std::string_view text) noexcept = 0;

 protected:
  ~LogSink() = default;
};

void set_log_sink(LogSink* sink, LogLevel threshold) noexcept;  // nullptr: nothing is logged
bool is_logged(LogLevel level) noexcept;
void log(LogLevel level, std::string_view text) noexcept;  // dropped below the threshold

inline void log_debug(std::string_view text) noexcept {
  log(LogLevel::debug, text);
}
inline void log_info(std::string_view text) noexcept {
  log(LogLevel::info, text);
}
inline void log_warning(std::string_view text) noexcept {
  log(LogLevel::warning, text);
}
inline void log_error(std::string_view text) noexcept {
  log(LogLevel::error, text);
}

}  // namespace weir
