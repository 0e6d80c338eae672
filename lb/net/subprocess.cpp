#include "lb/net/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir/assert.h"

#include "lb/net/socket.h"

namespace weir {
namespace {

constexpr Duration kReapEvery = std::chrono::milliseconds(20);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

bool make_pipe(Pipe* pipe) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  pipe->read.reset(fds[0]);
  pipe->write.reset(fds[1]);
  return true;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// What the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct ChildPlan {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory;
  int input;
  int output;
  int errors;
  bool own_group;
  bool ends_with_us;
  pid_t parent;
  int report;  // errno of a failed exec goes here
};

[[noreturn]] void report_and_exit(const ChildPlan& plan) {
  const int error = errno;
  [[maybe_unused]] const ssize_t n = ::write(plan.report, &error, sizeof error);
  ::_exit(127);
}

[[noreturn]] void become(const ChildPlan& plan) {
  if (plan.own_group) ::setpgid(0, 0);
  if (plan.ends_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != plan.parent) ::_exit(127);  // gone already
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGCHLD}) {
    ::signal(number, SIG_DFL);
  }
  restore_descriptor_limit();
  if (plan.input >= 0) ::dup2(plan.input, 0);
  if (plan.output >= 0) ::dup2(plan.output, 1);
  if (plan.errors >= 0) ::dup2(plan.errors, 2);
  if (plan.directory != nullptr && ::chdir(plan.directory) != 0) report_and_exit(plan);
  ::execvpe(plan.argv[0], plan.argv.data(), plan.environment.data());
  report_and_exit(plan);
}

Problem cannot_start(const std::string& program, int error) {
  std::string what = "cannot start \"" + program + "\": " + ::strerror(error);
  return Problem{std::move(what), error == ENOENT ? "is it installed and on the PATH?" : ""};
}

ExitStatus to_exit_status(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

Subprocess::~Subprocess() = default;

Result<Ok, Problem> Subprocess::start(const SubprocessOptions& options) {
  WEIR_ASSERT(!is_running() && !options.argv.empty());
  Pipe in, out, report;
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const bool pipes_ok = make_pipe(&report) &&
                        (options.input != SubprocessOptions::Input::pipe || make_pipe(&in)) &&
                        (options.output != SubprocessOptions::Output::pipe || make_pipe(&out));
  if (!pipes_ok || !null) return cannot_start(options.argv[0], errno);
  ChildPlan plan{pointers(options.argv),
                 pointers(options.environment),
                 options.directory.empty() ? nullptr : options.directory.c_str(),
                 -1,
                 -1,
                 -1,
                 options.own_process_group,
                 options.ends_with_us,
                 ::getpid(),
                 report.write.get()};
  if (options.input == SubprocessOptions::Input::pipe) plan.input = in.read.get();
  if (options.input == SubprocessOptions::Input::null) plan.input = null.get();
  if (options.output == SubprocessOptions::Output::pipe) plan.output = out.write.get();
  if (options.errors_to_output) plan.errors = plan.output >= 0 ? plan.output : 1;

  const pid_t pid = ::fork();
  if (pid < 0) return cannot_start(options.argv[0], errno);
  if (pid == 0) become(plan);
  report.write.reset();
  int error = 0;
  ssize_t n;
  do {
    n = ::read(report.read.get(), &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    ::waitpid(pid, nullptr, 0);
    return cannot_start(options.argv[0], error);
  }
  pid_ = pid;
  has_own_group_ = options.own_process_group;
  if (has_own_group_) ::setpgid(pid, pid);
  input_ = std::move(in.write);
  pid_fd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const bool is_watched =
      pid_fd_ &&
      pid_event_.add_level_readable(loop_, pid_fd_.get(), bind<&Subprocess::on_pid_ready>(this));
  if (!is_watched) reaper_.start(kReapEvery);
  if (out.read) {
    output_ = std::move(out.read);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    WEIR_ASSERT(output_event_.add_level_readable(loop_, output_.get(),
                                                 bind<&Subprocess::on_output_ready>(this)));
  }
  return Ok{};
}

void Subprocess::on_output_ready(Readiness) {
  if (!drain_output()) {
    output_event_.remove();
    output_.reset();
  }
}

// Reads what is there, at most 1 MiB a turn; false at the end of file.
bool Subprocess::drain_output() {
  char buffer[16 * 1024];
  for (int i = 0; i < 64; ++i) {
    const ssize_t n = ::read(output_.get(), buffer, sizeof buffer);
    if (n > 0) {
      user_.on_output({buffer, static_cast<size_t>(n)});
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN;
  }
  return true;
}

void Subprocess::reap() {
  int status = 0;
  const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) {
    if (!pid_event_.is_added()) reaper_.start(kReapEvery);
    return;
  }
  if (reaped < 0) status = 127 << 8;  // somebody else has waited for it: how it ended is lost
  reaper_.cancel();
  pid_event_.remove();
  pid_fd_.reset();
  if (output_) drain_output();
  output_event_.remove();
  output_.reset();
  input_.reset();
  pid_ = 0;
  user_.on_exit(to_exit_status(status));  // the last call: may destroy us
}

void Subprocess::signal(int number) noexcept {
  if (is_running()) ::kill(pid_, number);
}

void Subprocess::signal_group(int number) noexcept {
  if (is_running() && has_own_group_) ::kill(-pid_, number);
}

void Subprocess::close_input() noexcept {
  input_.reset();
}

}  // namespace weir
