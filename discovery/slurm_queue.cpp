#include "discovery/slurm_queue.h"

#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "discovery/hostlist.h"

namespace weir {
namespace {

constexpr size_t kMaxGpus = 1024;  // a node

std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// The value behind `key` ("Nodes=") at the beginning of a word of the line, up to the next blank.
std::optional<std::string_view> field(std::string_view line, std::string_view key) {
  for (size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at != 0 && line[at - 1] != ' ') continue;
    const std::string_view value = line.substr(at + key.size());
    return value.substr(0, value.find(' '));
  }
  return {};
}

// The end of the first entry of "gpu:a100:4(IDX:0,2-3),gpu:v100:1(IDX:4)": a comma outside
// parentheses.
size_t entry_length(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] == ',' && depth <= 0) return i;
  }
  return text.size();
}

// GPUs in a GRES value; other resources (shard, nic) count for nothing.
std::optional<uint32_t> count_gpus(std::string_view gres) {
  uint64_t sum = 0;
  while (!gres.empty()) {
    const size_t length = entry_length(gres);
    std::string_view entry = gres.substr(0, length);
    gres.remove_prefix(length == gres.size() ? length : length + 1);
    entry = entry.substr(0, entry.find('('));
    if (entry.starts_with("gres:")) entry.remove_prefix(5);
    if (entry != "gpu" && !entry.starts_with("gpu:")) continue;
    const size_t colon = entry.rfind(':');
    if (colon == std::string_view::npos) {
      sum += 1;
      continue;
    }
    const auto count = parse_number(entry.substr(colon + 1));
    if (!count || *count > kMaxGpus) return {};
    sum += *count;
  }
  if (sum > kMaxGpus) return {};
  return static_cast<uint32_t>(sum);
}

Problem unreadable(std::string_view command, std::string_view line) {
  return {fmt::format("cannot read what `{}` says: \"{}\"", command, line.substr(0, 120)),
          "run the command by hand and file a bug with its output"};
}

// "29:59", "1:00:00", "2-03:04:05", "45"
std::optional<int64_t> parse_duration(std::string_view text) {
  int64_t days = 0;
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    const auto value = parse_number(text.substr(0, dash));
    if (!value || *value > 36500) return {};
    days = static_cast<int64_t>(*value);
    text.remove_prefix(dash + 1);
  }
  int64_t seconds = 0;
  int parts = 0;
  while (true) {
    const size_t colon = text.find(':');
    const auto value = parse_number(text.substr(0, colon));
    if (!value || *value > 100'000'000 || ++parts > 3) return {};
    seconds = seconds * 60 + static_cast<int64_t>(*value);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  return days * 86400 + seconds;
}

}  // namespace

Result<std::map<std::string, uint32_t, std::less<>>, Problem> parse_job_gpus(
    std::string_view text) {
  constexpr std::string_view kCommand = "scontrol show job -d";
  std::map<std::string, uint32_t, std::less<>> gpus;
  bool is_job = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (field(line, "JobId=")) is_job = true;
    const auto nodes = field(line, "Nodes=");
    // "Nodes=... CPU_IDs=..." are the lines of groups of like nodes; "NumNodes=" and "ReqNodeList="
    // are other words.
    if (!nodes || !field(line, "CPU_IDs=")) continue;
    auto names = expand_hostlist(*nodes);
    if (!names) return unreadable(kCommand, line);
    const auto count = count_gpus(field(line, "GRES=").value_or(""));
    if (!count) return unreadable(kCommand, line);
    for (const std::string& name : *names) {
      if (gpus.size() >= kMaxHosts) return unreadable(kCommand, line);
      gpus[name] += *count;
    }
  }
  if (!is_job || gpus.empty()) {
    return Problem{fmt::format("`{}` names no nodes", kCommand), "is the job still running?"};
  }
  return gpus;
}

Result<std::map<std::string, std::string, std::less<>>, Problem> parse_node_addresses(
    std::string_view text) {
  std::map<std::string, std::string, std::less<>> addresses;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) continue;
    const auto name = field(line, "NodeName=");
    if (!name || name->empty()) return unreadable("scontrol -o show node", line);
    const auto address = field(line, "NodeAddr=");
    if (addresses.size() >= kMaxHosts) return unreadable("scontrol -o show node", line);
    // A node in the cloud that is not up has "(null)" or nothing.
    if (!address || address->empty() || *address == "(null)") continue;
    addresses.emplace(*name, *address);
  }
  return addresses;
}

Result<int64_t, Problem> parse_time_left(std::string_view text) {
  const std::string_view line = next_line(text);
  const size_t bar = line.find('|');
  if (bar == std::string_view::npos) return unreadable("squeue -o '%e|%L'", line);
  const std::string_view left = line.substr(bar + 1);
  if (left == "UNLIMITED" || left == "NOT_SET") return int64_t{-1};
  const auto seconds = parse_duration(left);
  if (left == "INVALID") return int64_t{0};  // past its limit, being ended
  if (!seconds) return unreadable("squeue -o '%e|%L'", line);
  return *seconds;
}

Result<std::vector<StepEntry>, Problem> parse_steps(std::string_view text) {
  std::vector<StepEntry> steps;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) continue;
    const size_t bar = line.find('|');
    if (bar == std::string_view::npos || bar == 0) return unreadable("squeue -s", line);
    const std::string_view id = line.substr(0, bar);
    const size_t dot = id.find('.');
    if (dot == std::string_view::npos) return unreadable("squeue -s", line);
    if (!parse_number(id.substr(dot + 1))) continue;  // 2.batch, 2.extern, 2.interactive
    if (steps.size() >= kMaxHosts) return unreadable("squeue -s", line);
    steps.push_back({std::string(id), std::string(line.substr(bar + 1))});
  }
  return steps;
}

}  // namespace weir
