#include "discovery/served_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "discovery/replica_environment.h"

namespace weir {
namespace {

[[noreturn]] void become_server(const char* command, char* const* environment) {
  ::setpgid(0, 0);
  // The wrapper killed with -9 must not leave a server that nobody knows of.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, 0);
  if (null > 2) ::close(null);
  const char* const argv[] = {"sh", "-c", command, nullptr};
  ::execve("/bin/sh", const_cast<char* const*>(argv), environment);
  ::_exit(127);
}

struct FileCloser {
  void operator()(FILE* file) const { ::fclose(file); }
};

// Our children as the kernel lists them: with PR_SET_CHILD_SUBREAPER orphans of the server are
// among them.
std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  const std::string path = fmt::format("/proc/self/task/{}/children", ::getpid());
  const std::unique_ptr<FILE, FileCloser> file(::fopen(path.c_str(), "re"));
  if (!file) return pids;
  int pid = 0;
  while (pids.size() < 4096 && ::fscanf(file.get(), "%d", &pid) == 1) pids.push_back(pid);
  return pids;
}

void reap_all() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace

Result<Ok, Problem> ServedProcess::start(const std::string& command,
                                         const Environment& environment) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::vector<std::string> lines = as_lines(environment);
  std::vector<char*> pointers;
  for (const std::string& line : lines) pointers.push_back(const_cast<char*>(line.c_str()));
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return Problem{fmt::format("cannot start the server: fork: {}", ::strerror(errno)),
                   "is a limit of processes reached on the node (ulimit -u)?"};
  }
  if (pid == 0) become_server(command.c_str(), pointers.data());
  ::setpgid(pid, pid);  // both do: whoever comes first
  pid_ = pid;
  return Ok{};
}

bool ServedProcess::has_ended() {
  while (!has_ended_) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);  // orphans are reaped on the way
    if (pid <= 0) return false;
    if (pid != pid_) continue;
    has_ended_ = true;
    exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return true;
}

void ServedProcess::signal(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool ServedProcess::has_group() const {
  reap_all();
  return pid_ > 0 && ::kill(-pid_, 0) == 0;
}

void ServedProcess::clean_up() const {
  signal(SIGKILL);
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    reap_all();
    const std::vector<pid_t> left = children();
    if (left.empty()) return;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    ::usleep(20'000);
  }
}

}  // namespace weir
