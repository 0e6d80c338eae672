#include "discovery/slurm_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "discovery/slurm_queue.h"
#include "lb/net/socket.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kLongestAnswer = size_t{4} << 20;
constexpr size_t kLongestComplaint = 400;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

bool open_pipe(Pipe& pipe) {
  std::array<int, 2> fds{-1, -1};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return false;
  pipe.read.reset(fds[0]);
  pipe.write.reset(fds[1]);
  return true;
}

pid_t spawn(const std::vector<std::string>& argv, int output, int errors, int* error) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors, 2);
  pid_t pid = -1;
  *error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return *error == 0 ? pid : -1;
}

// Reads both until their ends; false when the deadline is over first.
bool read_all(UniqueFd& out, UniqueFd& err, Clock::time_point deadline, std::string& text,
              std::string& complaint) {
  std::array<char, 16384> buffer{};
  while (out || err) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> watched{pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
    if (::poll(watched.data(), 2, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return false;
    for (const bool is_out : {true, false}) {
      UniqueFd& fd = is_out ? out : err;
      if (!fd || watched[is_out ? 0 : 1].revents == 0) continue;
      const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      std::string& target = is_out ? text : complaint;
      const size_t most = is_out ? kLongestAnswer : kLongestComplaint;
      if (n <= 0) fd.reset();
      if (n > 0)
        target.append(buffer.data(), std::min(static_cast<size_t>(n), most - target.size()));
    }
  }
  return true;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void ask_gpus(AllocationAnswer& answer, std::chrono::milliseconds deadline) {
  Allocation& allocation = answer.allocation;
  const auto text = run_command({"scontrol", "show", "job", "-d", allocation.job_id}, deadline);
  const auto gpus =
      text ? parse_job_gpus(text.value())
           : Result<std::map<std::string, uint32_t, std::less<>>, Problem>(text.error());
  if (!gpus) {
    answer.remarks.push_back(
        fmt::format("GPUs of the nodes taken from SLURM_GPUS_ON_NODE: {}", gpus.error().what));
    return;
  }
  for (AllocatedNode& node : allocation.nodes) {
    const auto found = gpus.value().find(node.name);
    node.gpus = found == gpus.value().end() ? 0 : found->second;
  }
  allocation.gpus_known = true;
}

void ask_addresses(AllocationAnswer& answer, std::chrono::milliseconds deadline) {
  std::string names;
  for (const AllocatedNode& node : answer.allocation.nodes) {
    names += (names.empty() ? "" : ",") + node.name;
  }
  const auto text = run_command({"scontrol", "-o", "show", "node", names}, deadline);
  if (!text) return;  // the wrapper reports an address as well
  const auto addresses = parse_node_addresses(text.value());
  if (!addresses) {
    answer.remarks.push_back(addresses.error().what);
    return;
  }
  for (AllocatedNode& node : answer.allocation.nodes) {
    const auto found = addresses.value().find(node.name);
    if (found != addresses.value().end()) node.address = found->second;
  }
}

void ask_end_time(AllocationAnswer& answer, std::chrono::milliseconds deadline) {
  const auto text =
      run_command({"squeue", "-h", "-j", answer.allocation.job_id, "-o", "%e|%L"}, deadline);
  if (!text) return;
  const auto left = parse_time_left(text.value());
  if (!left) {
    answer.remarks.push_back(left.error().what);
    return;
  }
  answer.allocation.end_time = left.value() < 0 ? 0 : ::time(nullptr) + left.value();
}

}  // namespace

bool is_on_path(const Environment& environment, std::string_view program) {
  const auto path = environment.find("PATH");
  std::string_view rest =
      path == environment.end() ? "/usr/bin:/bin" : std::string_view(path->second);
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string file = fmt::format("{}/{}", rest.substr(0, colon), program);
    if (::access(file.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return false;
}

Result<std::string, Problem> run_command(const std::vector<std::string>& argv,
                                         std::chrono::milliseconds deadline) {
  Pipe out;
  Pipe err;
  int error = 0;
  if (!open_pipe(out) || !open_pipe(err)) {
    return Problem{fmt::format("cannot run {}: pipe: {}", argv[0], ::strerror(errno)), ""};
  }
  const pid_t pid = spawn(argv, out.write.get(), err.write.get(), &error);
  if (pid < 0) {
    return Problem{fmt::format("cannot run {}: {}", argv[0], ::strerror(error)),
                   "is Slurm's client installed here and on the PATH?"};
  }
  out.write.reset();
  err.write.reset();
  std::string text;
  std::string complaint;
  const bool is_whole = read_all(out.read, err.read, Clock::now() + deadline, text, complaint);
  if (!is_whole) ::kill(pid, SIGKILL);
  const int code = wait_for(pid);
  if (!is_whole) {
    return Problem{fmt::format("{} gave no answer within {} s", argv[0], deadline.count() / 1000),
                   "is the Slurm controller up? (scontrol ping)"};
  }
  if (code != 0) {
    return Problem{fmt::format("{} ended with code {}: {}", argv[0], code, one_line(complaint)),
                   ""};
  }
  return text;
}

AllocationAnswer ask_slurm(Allocation allocation, const Environment& environment,
                           std::chrono::milliseconds deadline) {
  AllocationAnswer answer{std::move(allocation), {}};
  if (!is_on_path(environment, "scontrol")) {
    answer.remarks.push_back(
        "scontrol is not on the PATH: GPUs of the nodes taken from SLURM_GPUS_ON_NODE");
    return answer;
  }
  ask_gpus(answer, deadline);
  ask_addresses(answer, deadline);
  ask_end_time(answer, deadline);
  return answer;
}

}  // namespace weir
