#include "bench/engine/bench_run.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "bench/engine/direct_pool.h"
#include "bench/engine/load_run.h"
#include "bench/engine/load_search.h"
#include "bench/engine/preflight.h"
#include "lb/net/signals.h"

namespace weir {
namespace {

constexpr int kUsage = 2;
constexpr int kUnreachable = 5;
constexpr int kInterrupted = 130;
constexpr uint64_t kOtherDescriptors = 200;
constexpr uint32_t kMostInFlight = 200'000;

std::string wall_time(const char* format) {
  const time_t now = ::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  char text[64];
  return std::string(text, ::strftime(text, sizeof text, format, &local));
}

class BenchRun {
 public:
  BenchRun(BenchOptions options, RunSink& sink)
      : options_(std::move(options)),
        sink_(sink),
        progress_(options_.progress),
        signals_(loop_, {SIGINT, SIGTERM}, bind<&BenchRun::on_signal>(this)) {}

  int run() {
    bool nothing_reachable = false;
    const Result<Ok, Problem> looked = look_at_targets(&options_, progress_, &nothing_reachable);
    if (!looked) {
      fmt::print(stderr, "weir: error: {}\n", looked.error().what);
      if (!looked.error().help.empty()) fmt::print(stderr, "help: {}\n", looked.error().help);
      return nothing_reachable ? kUnreachable : kUsage;
    }
    set_up();
    progress_.say(fmt::format("weir bench: {}; {}; model {}", options_.load.to_string(),
                              work_->to_string(), options_.work.model));
    if (options_.finds_max) {
      search();
    } else if (!options_.sweep.empty()) {
      sweep();
    } else {
      bench_.runs.push_back(run_once(options_.load));
    }
    bench_.was_interrupted = is_interrupted_;
    const int status = sink_.finish(bench_);
    return is_interrupted_ ? kInterrupted : status;
  }

 private:
  void on_signal(int) {
    if (is_interrupted_) ::_exit(kInterrupted);
    is_interrupted_ = true;
    if (load_run_ != nullptr) load_run_->stop();
  }

  void set_up() {
    work_ = std::make_unique<Work>(options_.work);
    fields_ = request_fields(options_);
    LoadOptions& load = options_.load;
    const uint64_t descriptors = raise_descriptor_limit();
    const uint64_t room =
        descriptors > 2 * kOtherDescriptors ? descriptors - kOtherDescriptors : 64;
    const auto most = static_cast<uint32_t>(std::min<uint64_t>(room, kMostInFlight));
    load.max_in_flight = load.asked_in_flight == 0 ? most : std::min(load.asked_in_flight, most);
    bench_.load_unit = is_closed() ? "in flight" : "req/s";
    const auto is_direct = [](const BenchTarget& target) {
      return target.role == TargetRecord::Role::direct;
    };
    if (std::ranges::any_of(options_.targets, is_direct)) {
      pool_ = std::make_unique<DirectPool>(loop_, options_.targets, options_.policy, load.seed + 1);
    }
  }

  bool is_closed() const { return options_.load.kind != LoadRecord::Kind::open; }

  LoadOptions load_of(double value) const {
    LoadOptions load = options_.load;
    if (is_closed()) {
      load.concurrency = static_cast<uint32_t>(std::lround(value));
    } else {
      load.arrivals.stages = {{value, value, 0}};
    }
    return load;
  }

  RunRecord run_once(const LoadOptions& load) {
    RunPlan plan;
    plan.load = load;
    plan.work = work_.get();
    plan.targets = options_.targets;
    plan.balancer = pool_ ? &pool_->balancer() : nullptr;
    plan.fields = fields_;
    const std::string started_at = wall_time("%Y-%m-%dT%H:%M:%S%z");
    const std::string date = wall_time("%Y%m%d-%H%M%S");
    plan.id = "bench-" + date;
    LoadRun load_run(loop_, plan, options_.chaos, progress_);
    load_run_ = &load_run;
    load_run.run();
    load_run_ = nullptr;
    RunRecord record = load_run.take_record();
    record.arguments = options_.arguments;
    record.version = options_.version;
    record.started_at = started_at;
    record.date = date;
    return record;
  }

  void sweep() {
    bench_.kind = BenchRecord::Kind::sweep;
    for (const double value : options_.sweep) {
      if (is_interrupted_) return;
      progress_.say(fmt::format("weir bench: step of {:g} {}", value, bench_.load_unit));
      bench_.runs.push_back(run_once(load_of(value)));
    }
  }

  void search() {
    bench_.kind = BenchRecord::Kind::search;
    options_.load.stops_when_saturated = true;
    const double first =
        is_closed() ? options_.load.concurrency : options_.load.arrivals.mean_rate();
    LoadSearch search(first, options_.precision, is_closed());
    while (const std::optional<double> load = search.next()) {
      bench_.runs.push_back(run_once(load_of(*load)));
      if (is_interrupted_) break;
      std::string why;
      StepVerdict verdict = sink_.judge(bench_.runs.back(), &why);
      if (bench_.runs.back().is_over_saturated) {
        verdict = StepVerdict::breaks;
        why = "more came than the pool could take";
      }
      constexpr std::string_view kWords[] = {"holds", "breaks", "cannot tell"};
      progress_.say(fmt::format("weir bench: {:.4g} {}: {}{}{}", *load, bench_.load_unit,
                                kWords[static_cast<size_t>(verdict)], why.empty() ? "" : ": ",
                                why));
      search.tell(verdict);
    }
    bench_.highest_good = search.highest_good();
    bench_.lowest_bad = search.lowest_bad();
  }

  BenchOptions options_;
  RunSink& sink_;
  ProgressLine progress_;
  EventLoop loop_;
  std::unique_ptr<Work> work_;
  std::unique_ptr<DirectPool> pool_;
  std::string fields_;
  BenchRecord bench_;
  LoadRun* load_run_ = nullptr;
  bool is_interrupted_ = false;
  Signals signals_;
};

}  // namespace

int run_bench(BenchOptions options, RunSink& sink) {
  ::signal(SIGPIPE, SIG_IGN);
  return BenchRun(std::move(options), sink).run();
}

}  // namespace weir
