#include "tests/compare/client_report.h"

#include <stdio.h>

#include <algorithm>
#include <map>

namespace load_peers {
namespace {

constexpr size_t kMaxDelays = 4'000'000;

double microseconds(const std::vector<uint32_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return static_cast<double>(
             sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))]) /
         10.0;
}

}  // namespace

ClientReport::ClientReport(const ClientOptions& options) : options_(options) {
  delays_.reserve(kMaxDelays);
}

std::vector<Usage> ClientReport::read_all() {
  std::vector<Usage> usages(options_.watched.size());
  for (size_t i = 0; i < usages.size(); ++i) {
    if (!read_usage(options_.watched[i].pid, &usages[i])) {
      fail("no process " + std::to_string(options_.watched[i].pid));
    }
  }
  return usages;
}

void ClientReport::begin(int64_t now) {
  usages_ = read_all();
  cpu_ = read_cpu_usage(options_.cpu);
  since_ns_ = now;
  is_measuring_ = true;
}

void ClientReport::end(int64_t now) {
  is_measuring_ = false;
  lasted_ns_ = now - since_ns_;
  const std::vector<Usage> after = read_all();
  for (size_t i = 0; i < after.size(); ++i) usages_[i] = after[i] - usages_[i];
  const CpuUsage cpu = read_cpu_usage(options_.cpu);
  cpu_ = {cpu.busy_ticks - cpu_.busy_ticks, cpu.stolen_ticks - cpu_.stolen_ticks};
}

int ClientReport::print() {
  std::ranges::sort(delays_);
  std::map<std::string, Usage> sums;
  for (size_t i = 0; i < usages_.size(); ++i) {
    Usage& sum = sums[options_.watched[i].name];
    sum = sum - (Usage{} - usages_[i]);
  }
  printf(R"({"failure":"%s","verified":%llu,"done":%zu,"seconds":%.6f,"reads":%llu,"p50_us":%.1f,)"
         R"("p99_us":%.1f,)",
         failure_.c_str(), static_cast<unsigned long long>(verified_), delays_.size(),
         static_cast<double>(lasted_ns_) / 1e9, static_cast<unsigned long long>(reads_),
         microseconds(delays_, 0.5), microseconds(delays_, 0.99));
  printf(R"("idle_seconds":%.6f,"cpu_busy_seconds":%.2f,"cpu_stolen_seconds":%.2f,"processes":{)",
         static_cast<double>(idle_ns_) / 1e9, static_cast<double>(cpu_.busy_ticks) / 100,
         static_cast<double>(cpu_.stolen_ticks) / 100);
  const char* comma = "";
  for (const auto& [name, sum] : sums) {
    printf(R"(%s"%s":{"cpu_seconds":%.6f,"user_ticks":%lld,"system_ticks":%lld,"sleeps":%lld,)"
           R"("preemptions":%lld})",
           comma, name.c_str(), static_cast<double>(sum.cpu_ns) / 1e9,
           static_cast<long long>(sum.user_ticks), static_cast<long long>(sum.system_ticks),
           static_cast<long long>(sum.sleeps), static_cast<long long>(sum.preemptions));
    comma = ",";
  }
  printf("}}\n");
  return has_failed() ? 1 : 0;
}

}  // namespace load_peers
