#include "lb/launch/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/core.h>

#include "weir/log.h"

#include "lb/net/socket.h"
#include "lb/net/thread_without_signals.h"

namespace weir {
namespace {

constexpr std::chrono::seconds kPatienceAtEnd{5};

int64_t unix_now() {
  using std::chrono::system_clock;
  return system_clock::to_time_t(system_clock::now());
}

Problem cannot_write(const std::string& path, std::string_view why) {
  return {fmt::format("cannot publish to {}: {}", path, why),
          "give a file in a directory that you may write"};
}

Result<gid_t, Problem> find_group(const std::string& name) {
  std::vector<char> buffer(65536);
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return Problem{fmt::format("there is no group \"{}\"", name), "see the output of `groups`"};
  return found->gr_gid;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::string temporary_name(const std::string& path) {
  const size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  return fmt::format("{}.{}.{}.tmp", path.substr(0, name), path.substr(name), ::getpid());
}

}  // namespace

Result<Ok, Problem> write_private_file(const std::string& path, const std::string& group,
                                       const std::string& text) {
  gid_t gid = 0;
  if (!group.empty()) {
    const Result<gid_t, Problem> found = find_group(group);
    if (!found) return found.error();
    gid = *found;
  }
  const std::string temporary = temporary_name(path);
  ::unlink(temporary.c_str());  // of an earlier process that had our number
  const UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return cannot_write(path, ::strerror(errno));
  bool is_good = group.empty() || (::fchown(fd.get(), static_cast<uid_t>(-1), gid) == 0 &&
                                   ::fchmod(fd.get(), 0640) == 0);
  is_good = is_good && write_all(fd.get(), text) && ::fsync(fd.get()) == 0;
  is_good = is_good && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (is_good) return Ok{};
  const int error = errno;
  ::unlink(temporary.c_str());
  return cannot_write(path, ::strerror(error));
}

// All of it but the first two guarded by `mutex`.
struct Publisher::Shared {
  PublisherOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  PublishedRun run;
  bool is_dirty = false;
  bool wants_end = false;
  bool has_ended = false;
};

Publisher::Publisher(PublisherOptions options)
    : options_(std::move(options)), shared_(std::make_shared<Shared>()) {
  shared_->options = options_;
}

Publisher::~Publisher() {
  end();
}

Result<Ok, Problem> Publisher::start(PublishedRun run) {
  run.heartbeat = unix_now();
  run.heartbeat_interval = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(options_.heartbeat).count());
  const Result<Ok, Problem> written =
      write_private_file(options_.path, options_.group, launcher_file_text(run));
  if (!written) return written;
  shared_->run = std::move(run);
  thread_ = thread_without_signals(&Publisher::follow, shared_);
  return Ok{};
}

void Publisher::update(PublishedRun run) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->wants_end) return;
  run.heartbeat_interval = shared_->run.heartbeat_interval;
  shared_->run = std::move(run);
  shared_->is_dirty = true;
  shared_->changed.notify_all();
}

void Publisher::announce_end() {
  const std::lock_guard lock(shared_->mutex);
  shared_->wants_end = true;
  shared_->run.has_ended = true;
  shared_->run.api_key.clear();
  shared_->changed.notify_all();
}

void Publisher::end() {
  if (!thread_.joinable()) return;
  announce_end();
  std::unique_lock lock(shared_->mutex);
  const bool has_ended =
      shared_->changed.wait_for(lock, kPatienceAtEnd, [this] { return shared_->has_ended; });
  lock.unlock();
  if (has_ended) {
    thread_.join();
  } else {
    log_warning(fmt::format("{} could not be marked as ended: its file system does not answer",
                            options_.path));
    thread_.detach();
  }
}

// The thread: writes when something changed, and a heartbeat.
void Publisher::follow(std::shared_ptr<Shared> shared) {
  std::string said;
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait_for(lock, shared->options.heartbeat,
                             [&] { return shared->is_dirty || shared->wants_end; });
    const bool is_last = shared->wants_end;
    shared->is_dirty = false;
    PublishedRun run = shared->run;
    lock.unlock();
    run.heartbeat = unix_now();
    const auto written =
        write_private_file(shared->options.path, shared->options.group, launcher_file_text(run));
    const std::string problem = written ? std::string() : written.error().what;
    if (!problem.empty() && problem != said) log_warning(problem);
    said = problem;
    lock.lock();
    if (is_last) break;
  }
  shared->has_ended = true;
  shared->changed.notify_all();
}

}  // namespace weir
