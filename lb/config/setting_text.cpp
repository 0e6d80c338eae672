#include "lb/config/setting_text.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "lb/config/suggest.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr size_t kLongestPath = 4096;

template <typename T>
using Choice = std::pair<std::string_view, T>;

constexpr std::array<Choice<PolicyName>, 4> kPolicies{
    {{"least_outstanding", PolicyName::least_outstanding},
     {"round_robin", PolicyName::round_robin},
     {"random", PolicyName::random},
     {"two_choices", PolicyName::two_choices}}};
constexpr std::array<Choice<PathSet>, 3> kPaths{{{"inference", PathSet::inference},
                                                 {"all", PathSet::all},
                                                 {"unsafe-all", PathSet::unsafe_all}}};
constexpr std::array<Choice<LogLevel>, 4> kLevels{{{"debug", LogLevel::debug},
                                                   {"info", LogLevel::info},
                                                   {"warning", LogLevel::warning},
                                                   {"error", LogLevel::error}}};
constexpr std::array<Choice<HalfClose>, 2> kHalfCloses{
    {{"abort", HalfClose::abort}, {"ignore", HalfClose::ignore}}};
constexpr std::array<Choice<AbortedAnswer>, 2> kAborted{
    {{"error", AbortedAnswer::error}, {"pass", AbortedAnswer::pass}}};

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + "\"";
}

template <typename T>
Result<T, Problem> choose(std::string_view what, std::span<const Choice<T>> choices,
                          std::string_view text) {
  std::vector<std::string_view> names;
  std::string list;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  const std::string_view near = suggest(text, names);
  return Problem{"unknown " + std::string(what) + " " + quoted(text),
                 near.empty() ? "one of " + list : "did you mean " + quoted(near) + "?"};
}

bool has_control_chars(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<uint32_t, Problem> count_or_auto(std::string_view text, uint64_t least, uint64_t most) {
  if (text == "auto") return uint32_t{0};
  const Result<uint64_t, Problem> count = parse_count(text, least, most);
  if (!count) return Problem{count.error().what, "write a number, or \"auto\""};
  return static_cast<uint32_t>(*count);
}

}  // namespace

Result<PolicyName, Problem> parse_policy(std::string_view text) {
  return choose<PolicyName>("policy", kPolicies, text);
}
Result<PathSet, Problem> parse_paths(std::string_view text) {
  return choose<PathSet>("set of paths", kPaths, text);
}
Result<LogLevel, Problem> parse_log_level(std::string_view text) {
  return choose<LogLevel>("log level", kLevels, text);
}
Result<HalfClose, Problem> parse_half_close(std::string_view text) {
  return choose<HalfClose>("value", kHalfCloses, text);
}
Result<AbortedAnswer, Problem> parse_aborted_answer(std::string_view text) {
  return choose<AbortedAnswer>("value", kAborted, text);
}

Result<std::string, Problem> parse_name(std::string_view text) {
  const bool is_fine = !text.empty() && text.size() <= 260 && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (is_fine) return std::string(text);
  return Problem{"a name is 1 to 260 visible characters without quotes and backslashes", ""};
}

Result<size_t, Problem> parse_queue_limit(std::string_view text) {
  if (text == "unlimited") return kUnlimited;
  const Result<uint64_t, Problem> count = parse_count(text, 0, 10'000'000);
  if (!count) return Problem{count.error().what, "write a number of requests, or \"unlimited\""};
  return static_cast<size_t>(*count);
}

Result<uint32_t, Problem> parse_max_outstanding(std::string_view text) {
  if (text == "unlimited") return uint32_t{0};
  const Result<uint64_t, Problem> count = parse_count(text, 1, 1'000'000);
  if (!count) return Problem{count.error().what, "write a number of requests, or \"unlimited\""};
  return static_cast<uint32_t>(*count);
}

Result<uint32_t, Problem> parse_workers(std::string_view text) {
  return count_or_auto(text, 1, 64);
}
Result<uint32_t, Problem> parse_max_connections(std::string_view text) {
  return count_or_auto(text, 16, 1'000'000);
}

Result<Duration, Problem> parse_time_limit(std::string_view text) {
  if (text == "off") return Duration::zero();
  Result<Duration, Problem> duration = parse_duration(text);
  if (duration && *duration == Duration::zero()) {
    return Problem{"a limit of 0 would end everything at once", "write \"off\" for no limit"};
  }
  return duration;
}

Result<std::string, Problem> parse_health_path(std::string_view text) {
  if (text == "off") return std::string();
  const bool is_fine = text.starts_with('/') && text.size() <= 1024 && !has_control_chars(text) &&
                       text.find_first_of(" #") == std::string_view::npos;
  if (is_fine) return std::string(text);
  return Problem{"bad probe path " + quoted(text), "write a path like \"/health\", or \"off\""};
}

Result<AdminConfig, Problem> parse_admin(std::string_view text) {
  AdminConfig admin;
  if (text == "socket") return admin;
  if (text == "off") {
    admin.where = AdminConfig::Where::off;
    return admin;
  }
  Result<Address, Problem> address = parse_listen_address(text);
  if (!address) {
    return Problem{address.error().what,
                   "write 127.0.0.1:PORT, unix:/path, \"socket\" (the default) or \"off\""};
  }
  admin.where = AdminConfig::Where::address;
  admin.address = std::move(*address);
  return admin;
}

Result<AccessLogConfig, Problem> parse_access_output(std::string_view text) {
  using Output = AccessLogConfig::Output;
  if (text == "off") return AccessLogConfig{Output::off, ""};
  if (text == "stdout") return AccessLogConfig{Output::out, ""};
  if (text == "stderr") return AccessLogConfig{Output::err, ""};
  if (!text.empty() && text.size() <= kLongestPath && !has_control_chars(text)) {
    return AccessLogConfig{Output::file, std::string(text)};
  }
  return Problem{"bad output " + quoted(text),
                 "write a file's path, \"stdout\", \"stderr\" or \"off\""};
}

Result<std::string, Problem> parse_discover(std::string_view text) {
  if (text.starts_with("slurm:")) {
    return Problem{"discovery by " + quoted(text) + " is not in this version",
                   "follow the file that `weir launch --publish FILE` writes"};
  }
  if (!text.empty() && text.size() <= kLongestPath && !has_control_chars(text)) {
    return std::string(text);
  }
  return Problem{"bad path " + quoted(text),
                 "write the path of a launcher file, a pattern or a directory"};
}

std::string_view to_string(LogLevel level) noexcept {
  return kLevels[static_cast<size_t>(level)].first;
}

std::string time_limit_text(Duration limit) {
  return limit == Duration::zero() ? "off" : duration_text(limit);
}

std::string queue_limit_text(size_t limit) {
  return limit == kUnlimited ? "unlimited" : std::to_string(limit);
}

std::string admin_text(const AdminConfig& admin) {
  if (admin.where == AdminConfig::Where::own_socket) return "socket";
  return admin.where == AdminConfig::Where::off ? "off" : weir::to_string(admin.address);
}

std::string access_output_text(const AccessLogConfig& access) {
  switch (access.output) {
    case AccessLogConfig::Output::off:
      return "off";
    case AccessLogConfig::Output::out:
      return "stdout";
    case AccessLogConfig::Output::err:
      return "stderr";
    case AccessLogConfig::Output::file:
      return access.path;
  }
  return "off";
}

}  // namespace weir
