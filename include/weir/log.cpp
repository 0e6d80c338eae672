#include "weir/log.h"

#include <atomic>

namespace weir {
namespace {

std::atomic<LogSink*> g_sink{nullptr};              // NOLINT: the logger is the one global state
std::atomic<LogLevel> g_threshold{LogLevel::info};  // NOLINT

}  // namespace

void set_log_sink(LogSink* sink, LogLevel threshold) noexcept {
  g_threshold.store(threshold, std::memory_order_relaxed);
  g_sink.store(sink, std::memory_order_release);
}

bool is_logged(LogLevel level) noexcept {
  return level >= g_threshold.load(std::memory_order_relaxed) &&
         g_sink.load(std::memory_order_relaxed) != nullptr;
}

void log(LogLevel level, std::string_view text) noexcept {
  if (!is_logged(level)) return;
  if (LogSink* sink = g_sink.load(std::memory_order_acquire)) sink->write(level, text);
}

}  // namespace weir
