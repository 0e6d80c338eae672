// A thread that makes load: its share of the sessions, on an event loop of its own, with its own
// connections and its own record; workers share nothing but the plan. Made, started, joined and
// destroyed by LoadRun on the main thread; everything but request_stop() and live() is the
// worker's.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/engine/idle_connections.h"
#include "bench/engine/kernel_time.h"
#include "bench/engine/load_options.h"
#include "bench/engine/precise_timer.h"
#include "bench/engine/request_run.h"
#include "bench/engine/start_plan.h"
#include "bench/engine/worker_log.h"
#include "lb/http/head_parser.h"
#include "lb/net/event_loop.h"

namespace weir {

// What is seen of a worker while it runs.
struct LiveCounts {
  uint64_t sent = 0;
  uint64_t ok = 0;
  uint64_t truncated = 0;
  uint64_t failed = 0;
  uint64_t rejected = 0;
  uint64_t output_tokens = 0;  // events with text
  uint32_t in_flight = 0;
  uint32_t most_in_flight = 0;
  LogHistogram first_token;  // from the planned start
  LogHistogram lag;          // all three of WorkerRecord
};

class LoadWorker {
 public:
  LoadWorker(const RunPlan& plan, uint32_t index, TimePoint epoch, const LogBounds& bounds);
  LoadWorker(const LoadWorker&) = delete;
  LoadWorker& operator=(const LoadWorker&) = delete;
  ~LoadWorker();

  // `on_ended` is posted when all of its share is done.
  void start(Task& on_ended);
  void join();
  // No further start; `at_once`: what is in flight is given up as unfinished. Any thread.
  void request_stop(bool at_once);
  LiveCounts live() const;  // any thread; up to half a second old
  WorkerLog take_log() { return std::move(log_); }
  uint32_t not_started() const { return not_started_; }
  bool has_ended() const { return has_ended_; }  // any thread

  // For RequestRun.
  EventLoop& loop() { return loop_; }
  const RunPlan& plan() const { return plan_; }
  uint32_t index() const { return index_; }
  http::HeadParser& parser() { return parser_; }
  IdleConnections& connections() { return connections_; }
  char* buffer() { return buffer_.data(); }
  size_t capacity() const { return buffer_.size(); }
  int64_t now_ns() const { return (loop_.now() - epoch_).count(); }
  int64_t steady_begin_ns() const { return steady_begin_ns_; }
  int64_t stamp_to_run(int64_t wall_ns) const;
  bool wants_stamps() const { return static_cast<bool>(stamps_); }
  uint16_t target_of(const std::string& backend) const;
  uint16_t text_index(std::string_view text) { return log_.text_index(text); }
  void note_read(int64_t lag_ns);
  void note_tokens(const RequestRecord& record, uint32_t tokens_before, uint32_t coalesced,
                   int64_t at_ns);
  void note_bytes(size_t bytes, int64_t at_ns) { log_.second(at_ns).bytes_in += bytes; }
  void request_ended(RequestRun& run);

 private:
  struct PendingTurn {
    int64_t at_ns;
    PlannedWork work;
    std::string history;
  };

  void run();
  void pump();
  void start_due(int64_t now);
  bool start_pending(int64_t now);
  void begin(const PlannedWork& work, int64_t planned_ns, std::string history);
  void next_turn_or_end(RequestRun& run, bool is_ok);
  void finish_record(RequestRun& run);
  void on_tick();
  void on_second(int64_t now);
  void stop_starting();
  void on_stop();
  void give_up_all(RequestOutcome outcome, RequestFault fault);
  void end_if_over();
  void publish();

  const RunPlan& plan_;
  const uint32_t index_;
  const TimePoint epoch_;
  const int64_t steady_begin_ns_;
  EventLoop loop_;
  UniqueFd stamps_;
  KernelClock clock_;
  http::HeadParser parser_;
  std::vector<char> buffer_;
  IdleConnections connections_;
  StartPlan starts_;
  WorkerLog log_;
  std::vector<std::unique_ptr<RequestRun>> in_flight_;
  std::vector<std::unique_ptr<RequestRun>> spare_;
  std::vector<PendingTurn> pending_;  // a heap, earliest first
  PreciseTimer start_timer_;
  PreciseTimer tick_timer_;
  Task stop_task_;
  Task* on_ended_ = nullptr;
  TimePoint tick_due_{};
  int64_t second_begin_ns_ = 0;
  int64_t second_cpu_ns_ = 0;
  uint32_t most_in_flight_allowed_;
  uint32_t not_started_ = 0;
  bool is_held_back_ = false;  // the bound on what is in flight keeps starts waiting
  bool is_pumping_ = false;
  bool is_stopping_ = false;
  bool is_ended_ = false;
  std::atomic<bool> has_ended_{false};
  std::atomic<bool> stop_at_once_{false};
  LiveCounts counts_;
  mutable std::mutex mutex_;
  LiveCounts published_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weir
