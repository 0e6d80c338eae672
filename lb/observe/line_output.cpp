#include "lb/observe/line_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace weir {

LineOutput::~LineOutput() {
  flush();
  if (owns_) ::close(fd_);
}

Result<Ok, Problem> LineOutput::open(const std::string& path) {
  path_ = path;
  return reopen();
}

Result<Ok, Problem> LineOutput::reopen() {
  if (path_.empty()) return Ok{};
  const int fd =
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd < 0) {
    return Problem{"cannot write the access log " + path_ + ": " + ::strerror(errno),
                   "check the path and its permissions"};
  }
  const std::lock_guard lock(mutex_);
  flush_locked();
  if (owns_) ::close(fd_);
  fd_ = fd;
  owns_ = true;
  struct stat status {};
  is_file_ = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  return Ok{};
}

void LineOutput::add(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (buffer_.size() - written_ + line.size() + 1 > kMost) {
    ++dropped_;
    return;
  }
  const bool was_empty = buffer_.size() == written_;
  buffer_ += line;
  buffer_ += '\n';
  if (was_empty && on_pending_) on_pending_();
  if (buffer_.size() - written_ >= kFlushAt) flush_locked();
}

bool LineOutput::flush() {
  const std::lock_guard lock(mutex_);
  return flush_locked();
}

uint64_t LineOutput::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

bool LineOutput::flush_locked() {
  while (written_ < buffer_.size()) {
    if (!write_some()) break;
  }
  if (written_ == buffer_.size()) {
    buffer_.clear();
    written_ = 0;
    return true;
  }
  if (written_ >= kFlushAt) {
    buffer_.erase(0, written_);
    written_ = 0;
  }
  return false;
}

// A pipe or terminal shared with others must not be made non-blocking: a piece of PIPE_BUF after
// poll() said yes does not block.
bool LineOutput::write_some() {
  size_t size = buffer_.size() - written_;
  if (!is_file_) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
    size = std::min(size, size_t{PIPE_BUF});
  }
  const ssize_t count = ::write(fd_, buffer_.data() + written_, size);
  if (count > 0) {
    written_ += static_cast<size_t>(count);
    return true;
  }
  if (count < 0 && errno == EINTR) return true;
  if (count < 0 && errno == EAGAIN) return false;
  // A closed pipe or a full disk: these lines are lost, the next ones are tried again.
  dropped_ += static_cast<uint64_t>(
      std::count(buffer_.begin() + static_cast<ptrdiff_t>(written_), buffer_.end(), '\n'));
  written_ = buffer_.size();
  return true;
}

}  // namespace weir
