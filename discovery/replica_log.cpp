#include "discovery/replica_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include <fmt/core.h>

#include "weir/log.h"

namespace weir {

ReplicaLog::ReplicaLog(std::string path, uint64_t largest_file)
    : path_(std::move(path)), largest_file_(largest_file) {}

ReplicaLog::~ReplicaLog() {
  close_file();
}

void ReplicaLog::close_file() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void ReplicaLog::open() {
  if (path_.empty() || fd_ >= 0) return;
  // Prompts may end up in a server's log: for its owner only.
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ >= 0) {
    struct stat status {};
    size_ = ::fstat(fd_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
    return;
  }
  if (!has_complained_) {
    log_warning(fmt::format("cannot write the replica's log {}: {}", path_, ::strerror(errno)));
  }
  has_complained_ = true;
}

void ReplicaLog::begin(std::string_view title) {
  lines_.clear();
  write(fmt::format("=== {} ===", title));
}

void ReplicaLog::add(std::string_view line) {
  write(line);
  if (line.empty()) return;
  if (lines_.size() == kKeptLines) lines_.pop_front();
  lines_.emplace_back(line.substr(0, kLongestKeptLine));
}

void ReplicaLog::write(std::string_view line) {
  open();
  if (fd_ < 0) return;
  std::string text(line);
  text += '\n';
  // A full disk costs log lines, not the run.
  const ssize_t n = ::write(fd_, text.data(), text.size());
  if (n > 0) size_ += static_cast<uint64_t>(n);
  if (size_ < largest_file_) return;
  close_file();
  ::rename(path_.c_str(), (path_ + ".1").c_str());
}

std::vector<std::string> ReplicaLog::last_lines() const {
  return {lines_.begin(), lines_.end()};
}

bool ReplicaLog::contains(std::string_view text_in_lower_case) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
    const auto same = [](char in_line, char wanted) {
      return std::tolower(static_cast<unsigned char>(in_line)) == wanted;
    };
    return std::search(line.begin(), line.end(), text_in_lower_case.begin(),
                       text_in_lower_case.end(), same) != line.end();
  });
}

}  // namespace weir
