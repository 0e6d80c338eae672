// All replicas of a run as a source of backends: starts them, publishes those with an address,
// restarts, stops, sweeps. Owned by lb/launch. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/callback.h"
#include "weir/discovery.h"
#include "weir/observer.h"
#include "weir/timer.h"

#include "discovery/replica.h"
#include "discovery/replica_plan.h"
#include "discovery/replica_starter.h"

namespace weir {

struct ReplicaSetOptions {
  std::string source = "launch";    // its name towards the sink
  std::string api_key;              // becomes BackendSpec::api_key
  std::vector<std::string> models;  // becomes BackendSpec::models
  uint32_t max_outstanding = 0;     // of each replica; 0 = the pool's default
  ReplicaOptions replica;
};

// Hears what people want to see. Called from the loop's turns, never from within a call into the
// set other than on_backend_event().
class ReplicaObserver {
 public:
  virtual void on_replica_change(const ReplicaStatus& status) = 0;
  // Every replica got SIGTERM at once, or srun says the allocation is gone: scancel, the time
  // limit, a lost node. Once.
  virtual void on_job_ending(const std::string& reason) = 0;
  // No replica is left that runs or may still come. Once; not when it is due to stop_all().
  virtual void on_all_failed() = 0;

 protected:
  ~ReplicaObserver() = default;
};

struct ReplicaCounts {
  size_t planned = 0;
  size_t ready = 0;
  size_t loading = 0;  // waiting, starting or loading
  size_t failed = 0;   // given up
};

class ReplicaSet final : public Discovery, private ReplicaOwner {
 public:
  // `starter`, `timers` and `observer` must outlive it.
  ReplicaSet(TimerQueue& timers, ReplicaStarter& starter, ReplicaPlan plan,
             ReplicaSetOptions options, ReplicaObserver& observer);
  ReplicaSet(const ReplicaSet&) = delete;
  ReplicaSet& operator=(const ReplicaSet&) = delete;
  ~ReplicaSet() override;

  void start(BackendSetSink& sink) override;

  // What the prober found out; events about other backends are ignored.
  void on_backend_event(const BackendEvent& event);

  // Takes every replica out of service and down, then sweeps; one call of `done`, in a later turn,
  // within grace + 40 s. May be called before start(); a second call while it runs only replaces
  // `done`.
  void stop_all(Callback<const ReplicaSweep&> done);

  ReplicaCounts counts() const;
  const std::vector<std::unique_ptr<Replica>>& replicas() const { return replicas_; }
  const ReplicaStatus* find(std::string_view id) const;

 private:
  enum class State : uint8_t { idle, running, stopping, sweeping, stopped };

  void on_replica_changed(Replica& replica) override;
  void on_replica_terminated(Replica& replica) override;
  void on_replica_job_over(Replica& replica) override;
  bool has_any_been_ready() const override { return has_been_ready_; }
  bool is_job_ending() const override { return is_job_ending_; }

  void on_turn();  // what was put off to a later turn: publish, all failed, all stopped
  void later();
  void publish();
  BackendSpec spec_of(const Replica& replica) const;
  void begin_sweep();
  void on_swept(const ReplicaSweep& sweep);
  void say_job_ends(std::string reason);

  TimerQueue& timers_;
  ReplicaStarter& starter_;
  const ReplicaSetOptions options_;
  ReplicaObserver& observer_;
  BackendSetSink* sink_ = nullptr;
  State state_ = State::idle;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::shared_ptr<const BackendSet> published_;
  size_t published_pending_ = 0;
  bool has_started_ = false;
  bool has_been_ready_ = false;
  bool is_job_ending_ = false;
  bool has_said_all_failed_ = false;
  bool wants_publish_ = false;
  TimePoint first_terminated_{};
  size_t terminated_ = 0;  // since first_terminated_
  ReplicaSweep sweep_;
  Callback<const ReplicaSweep&> on_stopped_;
  Timer turn_;
};

}  // namespace weir
