// One run of load from its first planned request to its last answer: starts the workers, watches
// them, lets chaos happen at its times, tells the progress, and makes one RunRecord of it all.
// Main thread.
//
//   running ──all ended──▶ done
//      └─stop()─▶ ending (no new starts, what is in flight is given up) ─▶ done
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/engine/chaos.h"
#include "bench/engine/load_options.h"
#include "bench/engine/load_worker.h"
#include "bench/engine/progress_line.h"
#include "bench/record/run_record.h"
#include "lb/net/event_loop.h"

namespace weir {

class LoadRun {
 public:
  LoadRun(EventLoop& loop, const RunPlan& plan, const ChaosOptions& chaos, ProgressLine& progress);
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;
  ~LoadRun();

  void run();   // returns when all has ended
  void stop();  // from a callback of the loop: Ctrl-C
  RunRecord take_record();

 private:
  void on_worker_ended();
  void on_watch();
  void watch_saturation(const LiveCounts& counts);
  LiveCounts live() const;
  int64_t steady_end(const RunRecord& run) const;
  int64_t now_ns() const { return (loop_.now() - epoch_).count(); }

  EventLoop& loop_;
  const RunPlan& plan_;
  const TimePoint epoch_;
  ProgressLine& progress_;
  Task worker_ended_;
  Timer watch_;
  Chaos chaos_;
  std::vector<std::unique_ptr<LoadWorker>> workers_;
  std::vector<uint32_t> in_flight_seen_;  // each second
  std::vector<uint64_t> ended_seen_;
  int64_t next_second_ns_ = 0;
  bool was_interrupted_ = false;
  bool is_saturated_ = false;
  bool is_running_ = true;
};

}  // namespace weir
