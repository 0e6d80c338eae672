#include "discovery/replica_environment.h"

#include <algorithm>

namespace weir {
namespace {

void split_list(std::string_view text, std::vector<std::string>& entries) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (!entry.empty()) entries.emplace_back(entry);
  }
}

}  // namespace

void extend_no_proxy(Environment& environment, const std::vector<std::string>& hosts) {
  std::vector<std::string> entries;
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const auto found = environment.find(name);
    if (found != environment.end()) split_list(found->second, entries);
  }
  entries.insert(entries.end(), {"localhost", "127.0.0.1", "::1"});
  entries.insert(entries.end(), hosts.begin(), hosts.end());
  std::vector<std::string> once;
  std::string joined;
  for (const std::string& entry : entries) {
    if (entry.empty() || std::find(once.begin(), once.end(), entry) != once.end()) continue;
    once.push_back(entry);
    joined += (joined.empty() ? "" : ",") + entry;
  }
  environment["NO_PROXY"] = joined;
  environment["no_proxy"] = joined;
}

Environment replica_environment(Environment environment, std::string_view api_key,
                                const std::vector<std::string>& hosts) {
  extend_no_proxy(environment, hosts);
  environment["PYTHONUNBUFFERED"] = "1";
  if (!api_key.empty()) environment["VLLM_API_KEY"] = api_key;
  return environment;
}

std::vector<std::string> as_lines(const Environment& environment) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

}  // namespace weir
