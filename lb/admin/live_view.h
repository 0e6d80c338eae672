// What an operator may see of a running weir, as values; lb/app fills it from the balancer when
// somebody asks, lb/admin turns it into JSON and gauges. Times are spans up to now, so nothing here
// names a clock. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "weir/backend.h"
#include "weir/timer.h"

namespace weir {

struct BackendView {
  BackendId id;
  std::string address;  // "10.0.0.1:8000"
  BackendStateName state = BackendStateName::untried;
  std::string reason;            // of the state: "probe: connection refused"
  Duration in_state{};           // since when, as a span
  uint64_t outstanding = 0;      // requests it has now
  uint64_t answering = 0;        // of these, whose answers have begun
  uint64_t max_outstanding = 0;  // 0 = no bound
  uint64_t served = 0;           // exchanges that ended without an error of its own
  uint64_t failures = 0;         // outcomes that speak against it
  uint32_t weight = 1;
  uint32_t share = 100;    // percent of its weight; less while it starts slowly
  uint32_t ejections = 0;  // how often requests have taken it out
  bool is_tried = false;   // ejected, and a request may show that it is well again
  bool declines = false;   // requests, of late: full or being stopped; others are asked first
};

struct WaitingRoomView {
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();
  size_t length = 0;
  size_t limit = kNoLimit;
  Duration oldest{};  // how long the first in line has waited
};

struct PoolView {
  std::string name;
  std::string policy;
  WaitingRoomView waiting;
  size_t pending = 0;  // backends that may still come from its discovery
  std::vector<BackendView> backends;
};

// A replica that `launch` keeps alive; the pool sees it as a backend only while it listens.
struct ReplicaView {
  std::string id;
  std::string node;
  std::string gpus;   // "0" or "0,1"
  std::string state;  // in the words of lb/launch
  std::string note;   // the last thing worth saying about it
  std::string log_file;
  Duration in_state{};
  uint32_t restarts = 0;
};

// One event loop's share.
struct WorkerView {
  uint64_t clients = 0;    // connections
  uint64_t exchanges = 0;  // begun and not ended
};

struct InstanceView {
  int pid = 0;
  std::string instance;       // --instance chooses by this or by the pid
  std::string command;        // "serve"
  std::string config_source;  // the file, or empty
  uint64_t config_generation = 1;
  std::vector<std::string> listeners;  // "127.0.0.1:8080"
  Duration uptime{};
  bool is_draining = false;
  uint64_t client_connections = 0;
  uint64_t idle_backend_connections = 0;  // kept for the next exchange
  uint64_t in_flight = 0;                 // exchanges begun and not ended
  std::vector<WorkerView> workers;
  std::vector<PoolView> pools;
  std::vector<ReplicaView> replicas;
};

class LiveView {
 public:
  virtual InstanceView look() const = 0;

 protected:
  ~LiveView() = default;
};

}  // namespace weir
