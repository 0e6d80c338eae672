// Single settings as people write them, in a flag or as a string in the file: one parser each, and
// the way back. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/result.h"

#include "lb/config/config.h"

namespace weir {

Result<PolicyName, Problem> parse_policy(std::string_view text);
Result<PathSet, Problem> parse_paths(std::string_view text);
Result<LogLevel, Problem> parse_log_level(std::string_view text);
Result<HalfClose, Problem> parse_half_close(std::string_view text);
Result<AbortedAnswer, Problem> parse_aborted_answer(std::string_view text);

// Of a backend or a pool: 1 to 260 visible ASCII characters without quotes and backslashes. A
// backend without a name is called by its address, whose host may have 253
// (include/weir/address.cpp).
Result<std::string, Problem> parse_name(std::string_view text);
Result<size_t, Problem> parse_queue_limit(std::string_view text);  // N or "unlimited"
Result<uint32_t, Problem> parse_max_outstanding(
    std::string_view text);                                      // 1…1000000 or "unlimited" (0)
Result<uint32_t, Problem> parse_workers(std::string_view text);  // 1…64 or "auto" (0)
Result<uint32_t, Problem> parse_max_connections(std::string_view text);  // 16…1000000 or "auto" (0)
Result<Duration, Problem> parse_time_limit(std::string_view text);  // a duration or "off" (zero)
Result<std::string, Problem> parse_health_path(std::string_view text);  // "/…" or "off" (empty)
Result<AdminConfig, Problem> parse_admin(std::string_view text);  // "socket", an address or "off"
Result<AccessLogConfig, Problem> parse_access_output(
    std::string_view text);  // "off", "stdout", "stderr", a path
Result<std::string, Problem> parse_discover(std::string_view text);  // a path or a pattern

std::string_view to_string(LogLevel level) noexcept;
std::string time_limit_text(Duration limit);  // "30s", "off"
std::string queue_limit_text(size_t limit);   // "2000", "unlimited"
std::string admin_text(const AdminConfig& admin);
std::string access_output_text(const AccessLogConfig& access);

}  // namespace weir
