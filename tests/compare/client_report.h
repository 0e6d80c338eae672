// What a run of the load client found: counts and delays between two instants, and what the watched
// processes spent meanwhile. Owned by the client.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/compare/load_client.h"

namespace load_peers {

class ClientReport {
 public:
  explicit ClientReport(const ClientOptions& options);

  void begin(int64_t now);
  void end(int64_t now);
  bool is_measuring() const { return is_measuring_; }

  // A request was answered, or an event came: that much after its beginning.
  void on_done(int64_t delay_ns) {
    ++verified_;
    if (is_measuring_ && delays_.size() < delays_.capacity()) {
      delays_.push_back(static_cast<uint32_t>(delay_ns / 100));
    }
  }
  void on_idle(int64_t ns) { idle_ns_ += is_measuring_ ? ns : 0; }
  void on_read_with_event() { reads_ += is_measuring_ ? 1 : 0; }

  void fail(const std::string& why) {
    if (failure_.empty()) failure_ = why;
  }
  bool has_failed() const { return !failure_.empty(); }

  int print();  // one line of JSON; returns the exit code

 private:
  std::vector<Usage> read_all();

  const ClientOptions& options_;
  bool is_measuring_ = false;
  int64_t since_ns_ = 0;
  int64_t lasted_ns_ = 0;
  int64_t idle_ns_ = 0;  // of this thread
  std::vector<Usage> usages_;
  CpuUsage cpu_;
  std::vector<uint32_t> delays_;  // in units of 100 ns
  uint64_t reads_ = 0;            // that ended an event
  uint64_t verified_ = 0;         // answers or events, also outside of the measurement
  std::string failure_;
};

}  // namespace load_peers
