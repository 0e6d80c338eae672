#include <stdlib.h>
#include <sys/resource.h>
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

uint64_t resident_bytes() {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen("/proc/self/statm", "re"));
  unsigned long total = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) return 0;
  return uint64_t{resident} * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
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
  out.family("process_resident_memory_bytes", "gauge", "Memory of the process.");
  out.sample({}, resident_bytes());
  out.family("process_open_fds", "gauge", "Open descriptors.");
  out.sample({}, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  out.family("process_max_fds", "gauge", "How many there may be.");
  out.sample({}, uint64_t{limit.rlim_cur});
}

}  // namespace weir
