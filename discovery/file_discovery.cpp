#include "discovery/file_discovery.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "lb/net/thread_without_signals.h"

namespace weir {
namespace {

constexpr std::chrono::seconds kPatienceAtEnd{1};

int64_t unix_now() {
  using std::chrono::system_clock;
  return system_clock::to_time_t(system_clock::now());
}

}  // namespace

// All of it guarded by `mutex`.
struct FileDiscovery::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  bool wants_end = false;
  bool has_ended = false;
  Task* news = nullptr;                  // nullptr: nobody listens any more
  std::optional<FileScanResult> newest;  // not yet taken by the loop
};

FileDiscovery::FileDiscovery(EventLoop& loop, FileDiscoveryOptions options)
    : options_(std::move(options)),
      news_(loop, bind<&FileDiscovery::on_news>(this)),
      shared_(std::make_shared<Shared>()) {}

FileDiscovery::~FileDiscovery() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->news = nullptr;
  shared_->wants_end = true;
  shared_->changed.notify_all();
  const bool has_ended =
      shared_->changed.wait_for(lock, kPatienceAtEnd, [this] { return shared_->has_ended; });
  lock.unlock();
  if (has_ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void FileDiscovery::start(BackendSetSink& sink) {
  WEIR_ASSERT(!thread_.joinable());
  sink_ = &sink;
  shared_->news = &news_;
  thread_ = thread_without_signals(&FileDiscovery::follow, shared_, options_);
}

// The thread.
void FileDiscovery::follow(std::shared_ptr<Shared> shared, FileDiscoveryOptions options) {
  FileScan scan(options.scan);
  std::unique_lock lock(shared->mutex);
  while (!shared->wants_end) {
    lock.unlock();
    FileScanResult result = scan.look(std::chrono::steady_clock::now(), unix_now());
    lock.lock();
    if (shared->news != nullptr && (result.has_changed || !result.messages.empty())) {
      if (shared->newest) {
        std::vector<ScanMessage>& messages = shared->newest->messages;
        result.messages.insert(result.messages.begin(), messages.begin(), messages.end());
      }
      shared->newest = std::move(result);
      shared->news->post();
    }
    shared->changed.wait_for(lock, options.interval, [&shared] { return shared->wants_end; });
  }
  shared->has_ended = true;
  shared->changed.notify_all();
}

void FileDiscovery::on_news() {
  std::unique_lock lock(shared_->mutex);
  std::optional<FileScanResult> result = std::exchange(shared_->newest, std::nullopt);
  lock.unlock();
  if (!result) return;
  for (const ScanMessage& message : result->messages) log(message.level, message.text);
  sink_->publish(options_.source, result->set, result->pending);
}

}  // namespace weir
