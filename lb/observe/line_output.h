// Where lines go: stdout, stderr or a file, buffered and never waited for. What a full pipe does
// not take stays here up to a bound, then lines are dropped and counted. Owned by the telemetry;
// any thread, but for open() and set_on_pending(), which come first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "weir/callback.h"
#include "weir/result.h"

namespace weir {

class LineOutput {
 public:
  static constexpr size_t kFlushAt = 64 * 1024;
  static constexpr size_t kMost = 4 * 1024 * 1024;

  explicit LineOutput(int fd) : fd_(fd) {}  // not closed: stdout, stderr
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;
  ~LineOutput();

  // A file, appended to and created with mode 0640.
  Result<Ok, Problem> open(const std::string& path);
  Result<Ok, Problem> reopen();  // after log rotation; the old file stays in use if it fails

  // Called (on the adder's thread) when the first line waits, so that the owner can call flush() in
  // a later turn; must be cheap and thread-safe.
  void set_on_pending(Callback<> on_pending) { on_pending_ = on_pending; }

  void add(std::string_view line);  // without its newline

  // Writes what can be written now. True when nothing is left; else call again a little later.
  bool flush();
  uint64_t dropped() const;

 private:
  bool flush_locked();
  bool write_some();

  mutable std::mutex mutex_;  // guards all below, once lines are added
  int fd_;
  bool owns_ = false;
  bool is_file_ = false;
  std::string path_;
  std::string buffer_;
  size_t written_ = 0;  // of buffer_, from its front
  uint64_t dropped_ = 0;
  Callback<> on_pending_;
};

}  // namespace weir
