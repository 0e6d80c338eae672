// What processes and a CPU have spent so far, by the scheduler's accounting. Two readings make a
// difference.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace load_peers {

struct Watched {
  std::string name;  // several processes may share one
  pid_t pid;
};

struct Usage {
  int64_t cpu_ns = 0;      // sum_exec_runtime of all threads, also of those that ended
  int64_t user_ticks = 0;  // of 10 ms: good for the share of user time, not for more
  int64_t system_ticks = 0;
  int64_t sleeps = 0;       // voluntary context switches
  int64_t preemptions = 0;  // the other ones
};
Usage operator-(const Usage& a, const Usage& b);

struct CpuUsage {
  int64_t busy_ticks = 0;    // by anybody
  int64_t stolen_ticks = 0;  // by the hypervisor, as far as it tells
};

int64_t monotonic_ns();
bool read_usage(pid_t pid, Usage* usage);
CpuUsage read_cpu_usage(int cpu);
bool pin_to(int cpu);

}  // namespace load_peers
