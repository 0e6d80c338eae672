#include "tests/compare/usage.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace load_peers {
namespace {

int64_t to_ns(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void add_switches(const std::filesystem::path& status, Usage* usage) {
  std::ifstream file(status);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("voluntary_ctxt_switches:")) usage->sleeps += std::stoll(line.substr(24));
    if (line.starts_with("nonvoluntary_ctxt_switches:")) {
      usage->preemptions += std::stoll(line.substr(27));
    }
  }
}

}  // namespace

Usage operator-(const Usage& a, const Usage& b) {
  return {a.cpu_ns - b.cpu_ns, a.user_ticks - b.user_ticks, a.system_ticks - b.system_ticks,
          a.sleeps - b.sleeps, a.preemptions - b.preemptions};
}

int64_t monotonic_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return to_ns(time);
}

bool read_usage(pid_t pid, Usage* usage) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return false;
  *usage = {};
  usage->cpu_ns = to_ns(time);
  const std::filesystem::path folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder / "stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  fields >> usage->user_ticks >> usage->system_ticks;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(folder / "task", error)) {
    add_switches(thread.path() / "status", usage);
  }
  return true;
}

CpuUsage read_cpu_usage(int cpu) {
  std::ifstream stat("/proc/stat");
  const std::string wanted = "cpu" + std::to_string(cpu) + " ";
  std::string line;
  while (std::getline(stat, line)) {
    if (!line.starts_with(wanted)) continue;
    std::istringstream fields(line.substr(wanted.size()));
    int64_t ticks[8] = {};  // user nice system idle iowait irq softirq steal
    for (int64_t& value : ticks) fields >> value;
    return {ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7], ticks[7]};
  }
  return {};
}

bool pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace load_peers
