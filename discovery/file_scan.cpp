#include "discovery/file_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include <dirent.h>
#include <fmt/core.h>
#include <fnmatch.h>

#include "lb/net/socket.h"

namespace weir {
namespace {

constexpr int64_t kLeastHeartbeatLimit = 60;  // seconds without a beat
constexpr int64_t kBeatsMissed = 6;
constexpr int64_t kTimestampDoubt =
    3;  // seconds: file systems are coarse, and NFS servers have a clock of their own

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string stem_of(const std::string& path) {
  const std::string name = name_of(path);
  const size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

// Files being written, editors' copies, logs.
bool is_ignored(std::string_view name) {
  return name.starts_with('.') || name.ends_with('~') || name.ends_with(".tmp") ||
         name.ends_with(".swp") || name.ends_with(".log");
}

std::string real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string out(resolved);
  ::free(resolved);
  return out;
}

std::string place(const std::string& path, const LauncherFileProblem& problem) {
  if (problem.line == 0) return fmt::format("{}: {}", path, problem.what);
  return fmt::format("{}:{}:{}: {}", path, problem.line, problem.column, problem.what);
}

}  // namespace

FileScanResult FileScan::look(TimePoint now, int64_t unix_now) {
  messages_.clear();
  for (auto& [path, file] : files_) file.was_seen = false;
  for (const std::string& path : list_files()) {
    File& file = files_[path];
    file.was_seen = true;
    look_at(path, &file, unix_now, now);
  }
  for (auto it = files_.begin(); it != files_.end();) {
    File& file = it->second;
    file.missing_looks = file.was_seen ? file.missing_looks : file.missing_looks + 1;
    const bool is_gone = file.missing_looks >= kGoneLooks;
    if (is_gone && !file.content.backends.empty()) {
      say(LogLevel::warning, fmt::format("{} is gone, and its backends with it", it->first));
    }
    if (is_gone) file.content = {};
    it = is_gone && has_several_ ? files_.erase(it) : std::next(it);
  }
  FileScanResult result;
  merge(&result);
  result.messages = std::move(messages_);
  return result;
}

std::vector<std::string> FileScan::list_files() {
  struct stat info {};
  const bool exists = ::stat(options_.path.c_str(), &info) == 0;
  has_several_ = exists && S_ISDIR(info.st_mode);
  const bool is_pattern =
      !exists && name_of(options_.path).find_first_of("*?[") != std::string::npos;
  if (!has_several_ && !is_pattern) return {options_.path};
  const std::string directory = has_several_ ? options_.path : directory_of(options_.path);
  const std::string pattern = is_pattern ? name_of(options_.path) : "*";
  has_several_ = true;
  std::vector<std::string> out;
  DIR* open_directory = ::opendir(directory.c_str());
  if (open_directory == nullptr) {
    const std::string problem = fmt::format("cannot list {}: {}", directory, ::strerror(errno));
    if (problem != said_list_problem_) say(LogLevel::warning, problem);
    said_list_problem_ = problem;
    return out;
  }
  said_list_problem_.clear();
  while (const dirent* entry = ::readdir(open_directory)) {
    if (is_ignored(entry->d_name) || ::fnmatch(pattern.c_str(), entry->d_name, 0) != 0) continue;
    if (entry->d_type == DT_DIR) continue;
    out.push_back(directory + "/" + entry->d_name);
    if (out.size() == kMaxFiles) break;
  }
  ::closedir(open_directory);
  std::ranges::sort(out);
  return out;
}

void FileScan::look_at(const std::string& path, File* file, int64_t unix_now, TimePoint now) {
  const std::string target = real_path(path);
  const UniqueFd fd(
      ::open(target.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
  if (!fd) {
    file->was_seen = errno != ENOENT;
    const bool was_there = file->signature.size >= 0;
    if (file->was_seen) {
      file->problem = fmt::format("{}: {}", path, ::strerror(errno));
    } else if (!has_several_ && !was_there) {
      file->problem = fmt::format("{} is not there yet", path);
    }
    return say_problem(path, file);
  }
  file->missing_looks = 0;
  if (std::string reason = distrust(fd.get(), target); !reason.empty()) {
    file->problem = fmt::format("{}: {}", path, reason);
    file->signature = {};
    return say_problem(path, file);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return;
  const Signature signature{info.st_dev, info.st_ino, info.st_size,
                            info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
  const bool is_same = signature == file->signature;
  file->same_looks = is_same ? file->same_looks + 1 : 0;
  file->signature = signature;
  const bool settles_now = file->content.has_partial_line && file->same_looks == kSettledLooks;
  if (!is_same || file->was_read_too_soon || settles_now) {
    file->was_read_too_soon = unix_now - info.st_mtim.tv_sec < kTimestampDoubt;
    read(fd.get(), path, file);
  }
  judge_heartbeat(path, file, unix_now, now);
  say_problem(path, file);
}

void FileScan::read(int fd, const std::string& path, File* file) {
  std::string text;
  text.resize(kLargestLauncherFile + 1);
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      file->problem = fmt::format("{}: {}", path, ::strerror(errno));
      return;
    }
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  auto content = read_launcher_file(text, file->same_looks >= kSettledLooks);
  if (!content) {
    file->problem = place(path, content.error());
    return;
  }
  file->problem.clear();
  file->content = std::move(*content);
}

// The first sight of a heartbeat can only be judged by the writer's clock; from then on it is our
// own clock that counts.
void FileScan::judge_heartbeat(const std::string& path, File* file, int64_t unix_now,
                               TimePoint now) {
  const PublishedRun& run = file->content.run;
  if (!file->content.is_published || run.heartbeat_interval == 0 || run.has_ended) {
    file->is_stale = false;
    return;
  }
  const int64_t limit = std::max(kLeastHeartbeatLimit, kBeatsMissed * run.heartbeat_interval);
  const bool is_first = file->heartbeat == 0;
  const bool was_stale = file->is_stale;
  if (is_first || run.heartbeat != file->heartbeat) {
    file->is_stale = is_first && unix_now - run.heartbeat > limit;
    file->heartbeat = run.heartbeat;
    file->heartbeat_seen = now;
  } else if (now - file->heartbeat_seen > std::chrono::seconds(limit)) {
    file->is_stale = true;
  }
  if (file->is_stale && !was_stale) {
    say(LogLevel::warning,
        fmt::format(
            "{}: its heartbeat has stopped: the run is taken as gone, its backends are removed",
            path));
  } else if (was_stale && !file->is_stale) {
    say(LogLevel::info, fmt::format("{}: its heart beats again", path));
  }
}

void FileScan::say_problem(const std::string& path, File* file) {
  if (file->problem == file->said_problem) return;
  // A file may be caught while it is being written: what is still wrong at the next look is worth a
  // line.
  const bool may_be_in_writing = !file->problem.empty() && file->same_looks == 0 &&
                                 file->signature.size >= 0 && file->missing_looks == 0;
  if (may_be_in_writing) return;
  file->said_problem = file->problem;
  if (file->problem.empty()) {
    say(LogLevel::info,
        fmt::format("{} is good now: {} backends", path, file->content.backends.size()));
    return;
  }
  const std::string_view kept =
      file->content.backends.empty() ? "" : "; its backends stay as they were";
  say(LogLevel::warning, file->problem + std::string(kept));
}

// Empty, or why the file cannot be believed: whoever can write it would choose where requests and
// keys go.
std::string FileScan::distrust(int fd, const std::string& path) const {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return ::strerror(errno);
  if (!S_ISREG(info.st_mode)) return "it is not a regular file";
  if (std::string reason = distrust_owner(info.st_uid); !reason.empty()) return reason;
  if ((info.st_mode & 022) != 0) return "others may write it; help: chmod go-w " + path;
  const std::string directory = directory_of(path);
  struct stat around {};
  if (::stat(directory.c_str(), &around) != 0) return ::strerror(errno);
  // In a sticky directory (/tmp) others cannot replace our file, and theirs are refused by owner.
  if ((around.st_mode & 022) != 0 && (around.st_mode & S_ISVTX) == 0) {
    return fmt::format("others may write its directory {0}; help: chmod go-w {0}", directory);
  }
  if (around.st_uid != 0 && !distrust_owner(around.st_uid).empty()) {
    return fmt::format("its directory {} belongs to uid {}; help: name that uid in \"owners\"",
                       directory, around.st_uid);
  }
  return {};
}

std::string FileScan::distrust_owner(uint32_t uid) const {
  if (uid == options_.own_uid || std::ranges::find(options_.owners, uid) != options_.owners.end())
    return {};
  return fmt::format("it belongs to uid {}, not to us ({}); help: name that uid in \"owners\"", uid,
                     options_.own_uid);
}

void FileScan::merge(FileScanResult* result) {
  std::vector<BackendSpec> backends;
  for (const auto& [path, file] : files_) {
    if (file.is_stale) continue;
    result->pending += file.content.pending;
    for (BackendSpec spec : file.content.backends) {
      const bool was_named = spec.id != to_string(spec.address);
      if (has_several_ && was_named) spec.id = stem_of(path) + "." + spec.id;
      if (backends.size() < kMaxListedBackends) backends.push_back(std::move(spec));
    }
  }
  result->set = std::make_shared<const BackendSet>(std::move(backends));
  result->has_changed =
      last_set_ == nullptr || *last_set_ != *result->set || last_pending_ != result->pending;
  if (!result->has_changed) result->set = last_set_;
  last_set_ = result->set;
  last_pending_ = result->pending;
}

void FileScan::say(LogLevel level, std::string text) {
  messages_.push_back({level, std::move(text)});
}

}  // namespace weir
