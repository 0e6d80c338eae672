// Backends out of launcher files, followed by polling (NFS has no inotify for what other hosts
// write). The files are read on a thread of its own, because a file system that hangs must not stop
// the loop. Owned by lb/app; everything here on the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "weir/discovery.h"

#include "discovery/file_scan.h"
#include "lb/net/event_loop.h"

namespace weir {

struct FileDiscoveryOptions {
  std::string source;  // its name towards the sink
  Duration interval = std::chrono::seconds(2);
  FileScanOptions scan;
};

class FileDiscovery final : public Discovery {
 public:
  FileDiscovery(EventLoop& loop, FileDiscoveryOptions options);
  FileDiscovery(const FileDiscovery&) = delete;
  FileDiscovery& operator=(const FileDiscovery&) = delete;
  ~FileDiscovery() override;

  void start(BackendSetSink& sink) override;

 private:
  struct Shared;

  static void follow(std::shared_ptr<Shared> shared, FileDiscoveryOptions options);
  void on_news();

  const FileDiscoveryOptions options_;
  BackendSetSink* sink_ = nullptr;
  Task news_;
  std::shared_ptr<Shared>
      shared_;  // with the thread, which may outlive us while a file system hangs
  std::thread thread_;
};

}  // namespace weir
