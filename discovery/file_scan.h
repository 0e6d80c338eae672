// Launcher files on disk, looked at again and again: which backends they list now, and what is
// wrong with them. Reads files (it blocks when a file system does), names no clock. Owned by
// FileDiscovery; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/backend_set.h"
#include "weir/log.h"
#include "weir/timer.h"

#include "discovery/launcher_file.h"

namespace weir {

struct FileScanOptions {
  std::string path;              // a file, a directory, or a pattern (* ? []) in the last component
  std::vector<uint32_t> owners;  // uids whose files are believed, beside our own
  uint32_t own_uid = 0;
};

struct ScanMessage {
  LogLevel level = LogLevel::info;
  std::string text;
};

struct FileScanResult {
  bool has_changed = false;               // against the last look; always true for the first
  std::shared_ptr<const BackendSet> set;  // never null
  size_t pending = 0;                     // replicas that may still come
  std::vector<ScanMessage> messages;      // each thing is said once
};

class FileScan {
 public:
  // Looks without a change after which a last line without a newline counts, and a file that
  // vanished is gone.
  static constexpr uint32_t kSettledLooks = 3;
  static constexpr uint32_t kGoneLooks = 2;
  static constexpr size_t kMaxFiles = 1024;

  explicit FileScan(FileScanOptions options) : options_(std::move(options)) {}

  // A file that is broken keeps what it said when it was last good. A published file whose
  // heartbeat has stopped lists nothing.
  FileScanResult look(TimePoint now, int64_t unix_now);

 private:
  struct Signature {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    int64_t changed_ns = 0;
    bool operator==(const Signature&) const = default;
  };
  struct File {
    Signature signature;
    uint32_t same_looks = 0;  // looks since the signature changed
    uint32_t missing_looks = 0;
    bool was_read_too_soon = false;  // changed so recently that a further change may not show
    LauncherFile content;            // the last good one
    std::string problem;             // of the newest reading; empty = good
    std::string said_problem;
    bool is_stale = false;
    int64_t heartbeat = 0;
    TimePoint heartbeat_seen{};
    bool was_seen = false;  // in this look
  };

  void look_at(const std::string& path, File* file, int64_t unix_now, TimePoint now);
  void read(int fd, const std::string& path, File* file);
  void judge_heartbeat(const std::string& path, File* file, int64_t unix_now, TimePoint now);
  void say_problem(const std::string& path, File* file);
  std::vector<std::string> list_files();
  std::string distrust(int fd, const std::string& path) const;
  std::string distrust_owner(uint32_t uid) const;
  void merge(FileScanResult* result);
  void say(LogLevel level, std::string text);

  const FileScanOptions options_;
  bool has_several_ = false;  // a directory or a pattern: ids get the file's name in front
  std::map<std::string, File> files_;
  std::string said_list_problem_;
  std::vector<ScanMessage> messages_;
  std::shared_ptr<const BackendSet> last_set_;
  size_t last_pending_ = 0;
};

}  // namespace weir
