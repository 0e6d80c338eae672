#include "lb/launch/user_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <dirent.h>
#include <fmt/core.h>

namespace weir {
namespace {

bool is_terminals_foreground() {
  const UniqueFd terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  return terminal && ::tcgetpgrp(terminal.get()) == ::getpgrp();
}

// "123 (name with ) in it) S 45 ..." -> 45; 0 when it is gone.
pid_t parent_of(pid_t pid) {
  const UniqueFd fd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return 0;
  char text[512];
  const ssize_t n = ::read(fd.get(), text, sizeof text - 1);
  if (n <= 0) return 0;
  text[n] = 0;
  const char* behind_name = ::strrchr(text, ')');
  int parent = 0;
  if (behind_name == nullptr || ::sscanf(behind_name + 1, " %*c %d", &parent) != 1) return 0;
  return parent;
}

std::vector<ProcessParent> all_processes() {
  std::vector<ProcessParent> out;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return out;
  while (const dirent* entry = ::readdir(directory)) {
    const pid_t pid = ::atoi(entry->d_name);
    if (pid > 0) out.push_back({pid, parent_of(pid)});
  }
  ::closedir(directory);
  return out;
}

bool is_executable(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t root, const std::vector<ProcessParent>& parents) {
  std::vector<pid_t> found{root};
  for (size_t i = 0; i < found.size(); ++i) {
    for (const ProcessParent& process : parents) {
      const bool is_known = std::ranges::find(found, process.pid) != found.end();
      if (process.parent == found[i] && !is_known) found.push_back(process.pid);
    }
  }
  found.erase(found.begin());
  return found;
}

Result<Ok, Problem> find_program(const std::string& program, const std::string& path) {
  if (program.find('/') != std::string::npos) {
    if (is_executable(program)) return Ok{};
    return Problem{fmt::format("cannot run COMMAND \"{}\": {}", program,
                               ::access(program.c_str(), F_OK) != 0 ? "there is no such file"
                                                                    : "it is not executable"),
                   "check the path behind --"};
  }
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const std::string directory = path.substr(begin, end - begin);
    if (is_executable((directory.empty() ? "." : directory) + "/" + program)) return Ok{};
    begin = end + 1;
  }
  return Problem{fmt::format("cannot run COMMAND \"{}\": it is not on the PATH", program),
                 "check the name behind --; shell syntax needs -- sh -c '...'"};
}

UserCommand::UserCommand(EventLoop& loop, UserCommandOwner& owner)
    : owner_(owner),
      process_(loop, *this),
      patience_(loop.timers(), bind<&UserCommand::on_patience_over>(this)) {}

Result<Ok, Problem> UserCommand::start(std::vector<std::string> argv,
                                       std::vector<std::string> environment) {
  shares_terminal_ = is_terminals_foreground();
  SubprocessOptions options;
  options.argv = std::move(argv);
  options.environment = std::move(environment);
  options.own_process_group = !shares_terminal_;
  options.ends_with_us = true;
  options.input = SubprocessOptions::Input::inherit;
  options.output = SubprocessOptions::Output::inherit;
  options.errors_to_output = false;
  const Result<Ok, Problem> started = process_.start(options);
  pid_ = process_.pid();
  return started;
}

void UserCommand::stop(int first_signal) {
  if (!is_running()) return;
  signal(is_stopping_ ? SIGKILL : first_signal);
  if (is_stopping_) return;
  is_stopping_ = true;
  patience_.start(kPatience);
}

void UserCommand::on_patience_over() {
  signal(SIGKILL);
}

void UserCommand::signal(int number) {
  if (!is_running()) return;
  // Collected first: once it has ended, its children are nobody's.
  const std::vector<pid_t> descendants = descendants_of(pid_, all_processes());
  process_.signal(number);
  for (const pid_t pid : descendants) ::kill(pid, number);
}

void UserCommand::on_exit(ExitStatus status) {
  patience_.cancel();
  // What it left in its group goes with it when it was told to end; after an end of its own that is
  // the user's affair.
  if (is_stopping_ && !shares_terminal_) ::kill(-pid_, SIGKILL);
  owner_.on_command_end(status);
}

}  // namespace weir
