// Counters and histograms of exchanges and backends; all of them derive from the reports alone.
// Label sets are closed: pools and backends up to a bound (the rest counts as "other"), statuses by
// class, reasons by ErrorKind. Value type: one a worker, added up for whoever reads them. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "weir/observer.h"

#include "lb/observe/histogram.h"

namespace weir {

inline constexpr size_t kStatusClasses = 6;                 // 0 = none was sent, 1…5 = 1xx…5xx
inline constexpr size_t kFailureReasons = kErrorKinds + 1;  // and, last, an error event in a stream
inline constexpr size_t kBackendStates = static_cast<size_t>(BackendStateName::failed) + 1;
inline constexpr std::string_view kNoBackend = "none";
inline constexpr std::string_view kOtherBackend = "other";

// Of one backend in one pool. `none` is the backend of exchanges that never had one.
struct BackendMetrics {
  BackendMetrics();
  void add(const ExchangeReport& report);
  void add(const BackendMetrics& other);

  std::array<std::array<uint64_t, 2>, kStatusClasses>
      requests{};  // by class, then plain and streamed
  std::array<uint64_t, kFailureReasons> failures{};
  std::array<uint64_t, kBackendStates> state_changes{};  // by the new state
  uint64_t retries = 0;
  uint64_t tokens_in = 0;
  uint64_t tokens_out = 0;
  uint64_t tokens_wasted_client_gone = 0;
  uint64_t tokens_wasted_interrupted = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  Histogram time_to_first_token;  // seconds, from the whole head of the request to the first event
};

// Of one pool.
struct PoolMetrics {
  PoolMetrics();
  void add(const PoolMetrics& other);
  Histogram queue_wait;           // seconds
  Histogram proxy_overhead;       // seconds, of requests that were sent once
  Histogram inter_token_latency;  // seconds: each stream's mean gap, as often as it had gaps
  Histogram request_duration;     // seconds
};

// Hears what a worker does, on its thread.
class WorkerObserver : public ExchangeObserver {
 public:
  // Now and then: how long its event loop kept a timer waiting.
  virtual void on_loop_lag(Duration lag) noexcept = 0;

 protected:
  ~WorkerObserver() = default;
};

class Metrics final : public WorkerObserver, public BackendObserver {
 public:
  static constexpr size_t kMostBackends = 1024;  // of a pool
  static constexpr size_t kMostPools = 64;

  struct Pool {
    PoolMetrics all;
    std::map<std::string, BackendMetrics, std::less<>> backends;
  };

  // Backend events name no pool: this is theirs.
  explicit Metrics(std::string_view pool);

  void on_exchange(const ExchangeReport& report) noexcept override;
  void on_backend_event(const BackendEvent& event) noexcept override;
  void on_loop_lag(Duration lag) noexcept override;

  void add(const Metrics& other);
  const std::map<std::string, Pool, std::less<>>& pools() const { return pools_; }
  const Histogram& loop_lag() const { return loop_lag_; }  // seconds

 private:
  Pool& pool(std::string_view name);
  BackendMetrics& backend(Pool& pool, std::string_view id);

  std::string pool_;
  std::map<std::string, Pool, std::less<>> pools_;
  Histogram loop_lag_;
};

}  // namespace weir
