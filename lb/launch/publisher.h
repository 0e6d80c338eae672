// Writes the launcher file of a run (--publish): whole, by rename, readable by its owner (and one
// group) only, with a heartbeat, and marked as ended at the end. Writes on a thread of its own,
// because a shared file system may hang. Owned by the launch; everything here on the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "weir/result.h"
#include "weir/timer.h"

#include "discovery/launcher_file.h"

namespace weir {

struct PublisherOptions {
  std::string path;
  std::string group;  // empty: mode 0600, else 0640 for that group
  Duration heartbeat = std::chrono::seconds(10);
};

class Publisher {
 public:
  explicit Publisher(PublisherOptions options);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  // The first writing, at once: a path that cannot be written is found before anything is started.
  Result<Ok, Problem> start(PublishedRun run);
  void update(PublishedRun run);
  // Marks it as ended and without its key.
  void announce_end();
  // The same, and waits for it a few seconds at most.
  void end();

 private:
  struct Shared;

  static void follow(std::shared_ptr<Shared> shared);

  const PublisherOptions options_;
  std::shared_ptr<Shared>
      shared_;  // with the thread, which may outlive us while a file system hangs
  std::thread thread_;
};

// Writes `text` to a new file beside `path` and renames it over it.
Result<Ok, Problem> write_private_file(const std::string& path, const std::string& group,
                                       const std::string& text);

}  // namespace weir
