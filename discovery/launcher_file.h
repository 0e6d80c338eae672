// The files launchers leave behind, as backends: our own (written by `weir launch --publish`),
// lists of addresses a line, and the JSON lists found in the wild. Recognised by content. Also the
// writer of our own. Pure; value types, any thread. Times are Unix seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/backend.h"
#include "weir/result.h"

namespace weir {

inline constexpr size_t kLargestLauncherFile = size_t{1} << 20;
inline constexpr size_t kMaxListedBackends = 4096;

// One replica as our own file has it.
struct PublishedReplica {
  std::string id;
  std::string host;  // empty while it has no address
  uint16_t port = 0;
  std::string node;
  std::string gpus;   // "0,1"; empty = none
  std::string step;   // "1234.5"; empty without Slurm
  std::string state;  // a word of ReplicaState
  int64_t since = 0;
};

// A run as our own file has it.
struct PublishedRun {
  std::string job;    // Slurm's id; empty without Slurm
  std::string owner;  // user name
  std::string host;   // where weir runs
  int64_t pid = 0;
  int64_t started = 0;
  int64_t end_time = 0;             // of the job; 0 = unknown
  int64_t heartbeat = 0;            // when this was written
  uint32_t heartbeat_interval = 0;  // seconds; it is written anew at least so often
  bool has_ended = false;           // the run is over: nothing listens there any more
  std::string model;
  std::string url;      // of weir itself, on its host
  std::string api_key;  // what the replicas ask for
  std::vector<PublishedReplica> replicas;
};

std::string launcher_file_text(const PublishedRun& run);

struct LauncherFile {
  std::vector<BackendSpec>
      backends;        // in the order of the file; those that have an address and may be alive
  size_t pending = 0;  // replicas that have no address yet and may get one
  bool is_published = false;  // our own format: `run` is filled
  PublishedRun run;
  bool has_partial_line = false;  // a last line without its newline was left out
};

// What is wrong with a file. line and column count from 1; 0 = the place is in `what`.
struct LauncherFileProblem {
  std::string what;
  size_t line = 0;
  size_t column = 0;
};

// `is_settled`: nobody is writing it any more, so a last line without a newline is a whole one. All
// or nothing: one bad entry makes the file bad.
Result<LauncherFile, LauncherFileProblem> read_launcher_file(std::string_view text,
                                                             bool is_settled);

}  // namespace weir
