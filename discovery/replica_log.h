// A replica's output: its log file (bounded: past the limit the file becomes FILE.1 and a new one
// begins) and its last lines in memory. Owned by Replica. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

class ReplicaLog {
 public:
  static constexpr size_t kKeptLines = 50;
  static constexpr size_t kLongestKeptLine = 400;
  static constexpr uint64_t kLargestFile = uint64_t{256} << 20;

  explicit ReplicaLog(std::string path,
                      uint64_t largest_file = kLargestFile);  // empty path: no file
  ReplicaLog(const ReplicaLog&) = delete;
  ReplicaLog& operator=(const ReplicaLog&) = delete;
  ~ReplicaLog();

  const std::string& path() const { return path_; }
  void begin(
      std::string_view title);  // a new process: a heading in the file, the kept lines start anew
  void add(std::string_view line);
  std::vector<std::string> last_lines() const;
  bool contains(std::string_view text_in_lower_case) const;  // among the kept lines

 private:
  void write(std::string_view line);
  void open();
  void close_file();

  std::string path_;
  uint64_t largest_file_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool has_complained_ = false;
  std::deque<std::string> lines_;
};

}  // namespace weir
