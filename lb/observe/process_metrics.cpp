#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <dirent.h>

#include "lb/observe/prometheus_text.h"
#include "lb/observe/version.h"

namespace weir {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

uint64_t open_descriptors() {
  const std::unique_ptr<DIR, DirectoryCloser> directory(::opendir("/proc/self/fd"));
  if (!directory) return 0;
  uint64_t count = 0;
  while (::readdir(directory.get()) != nullptr) ++count;
  return count > 3 ? count - 3 : 0;  // without ".", ".." and our own look
}

struct Memory {
  uint64_t total = 0;
  uint64_t resident = 0;
};

Memory memory_bytes() {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen("/proc/self/statm", "re"));
  unsigned long total = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) return {};
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return {total * page, resident * page};
}

double seconds_of(clockid_t clock) {
  timespec now{};
  if (::clock_gettime(clock, &now) != 0) return 0;
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Since 1970; 0 = /proc does not say. Field 22 of stat counts ticks since the machine was started.
double start_seconds() {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen("/proc/self/stat", "re"));
  unsigned long long ticks = 0;
  constexpr const char* kFields =
      "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
      "%llu";
  if (!file || std::fscanf(file.get(), kFields, &ticks) != 1) return 0;
  const double boot = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);
  return boot + static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void write_process_metrics(PrometheusText& out) {
  out.family("weir_build_info", "gauge", "1, with the version as a label.");
  out.sample({{"version", version()}}, uint64_t{1});
  out.family("process_cpu_seconds_total", "counter", "Processor time of the process.");
  out.sample({}, cpu_seconds());
  const Memory memory = memory_bytes();
  out.family("process_resident_memory_bytes", "gauge", "Memory of the process.");
  out.sample({}, memory.resident);
  out.family("process_virtual_memory_bytes", "gauge", "Its address space.");
  out.sample({}, memory.total);
  out.family("process_start_time_seconds", "gauge", "When it was started, since 1970.");
  out.sample({}, start_seconds());
  out.family("process_open_fds", "gauge", "Open descriptors.");
  out.sample({}, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  out.family("process_max_fds", "gauge", "How many there may be.");
  out.sample({}, uint64_t{limit.rlim_cur});
}

}  // namespace weir
