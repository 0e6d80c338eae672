// What a run did: requests, tokens, each replica's share, failures and the time lost, as text and
// as JSON. Owned by the launch. on_exchange() on any thread, the rest on the loop's.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "weir/observer.h"

#include "discovery/replica.h"
#include "lb/launch/spread.h"

namespace weir {

struct RunEnd {
  int exit_code = 0;
  std::string how;                // "COMMAND ended with code 0", "interrupted (SIGINT)"
  std::vector<std::string> left;  // problems of the end: steps that had to be cancelled
};

class RunReport final : public ExchangeObserver {
 public:
  explicit RunReport(TimePoint begin) : begin_(begin) {}

  void on_exchange(const ExchangeReport& report) noexcept override;
  void on_replica(const ReplicaStatus& status, TimePoint now);
  void on_end(RunEnd end, TimePoint now);  // afterwards the replicas' end changes nothing

  std::string text() const;
  std::string json() const;

 private:
  // How a replica spent its time.
  struct ReplicaLedger {
    std::string node;
    std::string gpus;
    ReplicaState state = ReplicaState::waiting;
    TimePoint since{};
    Duration loading{};  // before it was ready for the first time
    Duration ready{};
    Duration down{};  // after it had been ready once, or when given up
    uint32_t restarts = 0;
    bool was_ready = false;
  };
  struct Share {
    uint64_t requests = 0;  // answers it gave, or was at when they failed
    uint64_t failed = 0;
    uint64_t tokens_out = 0;
  };
  struct Traffic {
    uint64_t requests = 0;
    uint64_t succeeded = 0;
    uint64_t refused = 0;  // 4xx: the client's own mistake
    uint64_t left = 0;     // the client went away
    uint64_t failed = 0;
    uint64_t retried = 0;  // sent more than once
    uint64_t streams = 0;
    uint64_t tokens_in = 0;
    uint64_t tokens_out = 0;  // by `usage`, else by the events of a stream
    uint64_t without_usage =
        0;  // successful requests whose tokens are counted by events, or not at all
    std::map<std::string, uint64_t, std::less<>> reasons;  // of failed
    Spread waited;
    Spread first_token;
    Spread whole;
  };
  struct LostTime {
    Duration loading{};
    Duration down{};
    Duration all{};
  };

  static constexpr size_t kMaxShares = 8192;

  static void settle(ReplicaLedger* ledger, TimePoint now);
  void count(const ExchangeReport& report);
  LostTime lost_time() const;
  double seconds() const;
  std::string shares_text() const;
  std::string shares_json() const;

  const TimePoint begin_;
  TimePoint ended_{};
  RunEnd end_;
  bool has_ended_ = false;
  std::map<std::string, ReplicaLedger, std::less<>> replicas_;
  mutable std::mutex mutex_;  // guards the two below
  Traffic traffic_;
  std::map<std::string, Share, std::less<>> shares_;  // by backend id
};

// False with errno when it could not be written.
[[nodiscard]] bool write_report(const std::string& path, const std::string& json);

}  // namespace weir
