#include "discovery/replica_report.h"

#include <string.h>

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr std::string_view kReportStart = "weir-replica v1 ";
constexpr std::string_view kEndStart = "weir-replica end ";
constexpr std::string_view kProblemStart = "weir-replica problem ";
constexpr size_t kLongestReport = 2048;

std::string_view or_dash(std::string_view text) {
  return text.empty() ? "-" : text;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Values come from another machine and end up in URLs and log lines.
bool is_plain(std::string_view value) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:,/";
  return value.size() <= 512 && value.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool set_field(ReplicaReport& report, std::string_view key, std::string_view value) {
  if (key == "host") report.host = value;
  if (key == "addr") report.address = value;
  if (key == "gpus") report.gpus = value;
  if (key == "step") report.step = value;
  if (key != "port") return true;
  const auto port = parse_number<uint16_t>(value);
  report.port = port.value_or(0);
  return report.port != 0;
}

}  // namespace

std::string format_report(const ReplicaReport& report) {
  return fmt::format("{}host={} addr={} port={} gpus={} step={}", kReportStart,
                     or_dash(report.host), or_dash(report.address), report.port,
                     or_dash(report.gpus), or_dash(report.step));
}

std::optional<ReplicaReport> parse_report(std::string_view line) {
  if (!line.starts_with(kReportStart) || line.size() > kLongestReport) return {};
  line.remove_prefix(kReportStart.size());
  ReplicaReport report;
  while (!line.empty()) {
    const size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = word.substr(equals + 1);
    if (value == "-") value = {};
    if (!is_plain(value) || !set_field(report, word.substr(0, equals), value)) return {};
  }
  if (report.port == 0) return {};
  return report;
}

std::string format_end(int code) {
  return fmt::format("{}{}", kEndStart, code);
}

std::optional<int> parse_end(std::string_view line) {
  if (!line.starts_with(kEndStart)) return {};
  return parse_number<int>(line.substr(kEndStart.size()));
}

std::string format_problem(const Problem& problem) {
  std::string text = problem.what;
  if (!problem.help.empty()) text += "; help: " + problem.help;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("{}{}", kProblemStart, text);
}

std::optional<std::string> parse_problem(std::string_view line) {
  if (!line.starts_with(kProblemStart)) return {};
  return std::string(line.substr(kProblemStart.size()));
}

std::string describe_exit_code(int code) {
  if (code > 128 && code < 128 + 65) {
    const char* name = ::strsignal(code - 128);
    return fmt::format("killed by signal {} ({})", code - 128, name == nullptr ? "unknown" : name);
  }
  if (code == 127) return "exited with code 127 (command not found)";
  if (code == 126) return "exited with code 126 (not executable)";
  return fmt::format("exited with code {}", code);
}

}  // namespace weir
