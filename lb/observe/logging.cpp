#include "lb/observe/logging.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "weir/json_string.h"

namespace weir {
namespace {

constexpr size_t kLongestLine = 8 * 1024;

// Is stderr the journal? systemd says so as "device:inode" (sd-journal's own test).
bool is_journal() {
  const char* stream = ::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view journal_prefix(LogLevel level) {
  constexpr std::array<std::string_view, 4> kPrefixes{"<7>", "<6>", "<4>", "<3>"};
  return kPrefixes[static_cast<size_t>(level)];
}

}  // namespace

struct Logging::Lines {
  spdlog::logger logger{"weir", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  bool is_journal = false;
};

Logging::Logging(LogLevel threshold) : lines_(std::make_unique<Lines>()) {
  lines_->is_journal = is_journal();
  const std::string pattern = lines_->is_journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
  lines_->logger.set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  lines_->logger.set_level(spdlog::level::trace);  // weir/log.h has the threshold
  lines_->logger.flush_on(spdlog::level::trace);
  set_log_sink(this, threshold);
}

Logging::~Logging() {
  set_log_sink(nullptr, LogLevel::error);
}

void Logging::write(LogLevel level, std::string_view text) noexcept {
  try {
    std::string line(lines_->is_journal ? journal_prefix(level) : "");
    append_plain_text(line, text, kLongestLine);
    lines_->logger.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {
    std::fputs("weir: a log line was lost\n", stderr);
  }
}

}  // namespace weir
