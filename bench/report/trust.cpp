#include "bench/report/trust.h"

#include <algorithm>

#include "bench/report/request_times.h"
#include "bench/report/text.h"

namespace weir {
namespace {

constexpr uint64_t kFewestRequests = 20;
constexpr double kLagShare = 0.1;  // of the p99 it would distort
constexpr double kLagFloor_ms = 1;
constexpr double kBusy = 0.85;
constexpr double kBusySecond = 0.97;
constexpr double kCoalesced = 0.01;
constexpr double kMerged = 0.5;  // ITL p50 to TPOT p50
constexpr double kNotStarted = 0.01;
constexpr double kUnfinished = 0.1;

double ms_of(const LogHistogram& lag, double percent) {
  return static_cast<double>(lag.percentile(percent)) / 1e6;
}

class Judge {
 public:
  Judge(const RunRecord& run, const RunNumbers& numbers) : run_(run), numbers_(numbers) {}

  TrustReport report() {
    if (numbers_.counts.ok() < kFewestRequests) {
      doubt("too few samples: " + counted(numbers_.counts.ok(), "whole answer") + ", at least " +
            std::to_string(kFewestRequests) + " are needed");
    }
    judge_lag();
    judge_starts();
    judge_core();
    judge_merging();
    judge_what_is_missing();
    add_remarks();
    return std::move(report_);
  }

 private:
  void doubt(std::string why) { report_.reasons.push_back(std::move(why)); }
  void remark(std::string what) { report_.remarks.push_back(std::move(what)); }

  // The smallest p99 that a late read would distort.
  double smallest_tail() const {
    const LatencyNumbers& latency = numbers_.latency;
    double least = latency.e2el.percentile(99);
    if (!latency.ttft.is_empty()) least = std::min(least, latency.ttft.percentile(99));
    if (!latency.itl.is_empty()) least = std::min(least, latency.itl.percentile(99));
    return least;
  }

  // With the kernel's receive times a late read distorts nothing but which events it merges.
  void judge_lag() {
    const double lag = ms_of(numbers_.tester.loop_lag, 99);
    const double limit = std::max(kLagFloor_ms, kLagShare * smallest_tail());
    is_late_ = lag > limit;
    if (run_.has_kernel_times || !is_late_) return;
    doubt("event loop late: p99 " + ms_text(lag) + " ms, at most " + ms_text(limit) +
          " ms would leave the tails within 10 % (no kernel receive times in this run)");
  }

  void judge_starts() {
    const LatencyNumbers& latency = numbers_.latency;
    const Samples& first = latency.ttft.is_empty() ? latency.e2el : latency.ttft;
    const double lag = ms_of(numbers_.tester.start_lag, 99);
    const double limit = std::max(kLagFloor_ms, kLagShare * first.percentile(99));
    if (lag <= limit) return;
    doubt("requests started late: p99 " + ms_text(lag) + " ms behind the plan, at most " +
          ms_text(limit) + " ms would leave TTFT within 10 %");
  }

  void judge_core() {
    const TesterNumbers& tester = numbers_.tester;
    is_full_ = tester.busy > kBusy || tester.busy_most > kBusySecond;
    if (tester.busy > kBusy) {
      doubt("own core full: " + in_percent(tester.busy) + " busy over the run");
    } else if (tester.busy_most > kBusySecond) {
      doubt("own core full: " + in_percent(tester.busy_most) + " busy in its worst second");
    }
  }

  // Late reads bring many events at once: gaps of nothing and few long ones, while TPOT looks fine.
  void judge_merging() {
    const TesterNumbers& tester = numbers_.tester;
    const double itl = numbers_.latency.itl.median();
    const double tpot = numbers_.latency.tpot.median();
    const bool is_slow = is_late_ || is_full_;
    if (tpot > 0 && !numbers_.latency.itl.is_empty() && itl < kMerged * tpot) {
      const std::string what = "events came in bunches: ITL p50 " + ms_text(itl) +
                               " ms against TPOT p50 " + ms_text(tpot) + " ms";
      is_slow ? doubt(what + ", and this tester was late or full")
              : remark(what +
                       "; this tester was neither late nor full, so the pool or the way to "
                       "it bunches them");
    } else if (is_slow && tester.coalesced_share > kCoalesced) {
      doubt("late reads merged " + in_percent(tester.coalesced_share) + " of the events");
    }
  }

  void judge_what_is_missing() {
    const double started = static_cast<double>(run_.requests.size());
    if (run_.not_started > kNotStarted * (started + run_.not_started)) {
      doubt(counted(run_.not_started, "planned request") +
            " never sent: the load was not the one " + "that was asked for");
    }
    const uint64_t unfinished = numbers_.counts.of(RequestOutcome::unfinished);
    if (static_cast<double>(unfinished) >
        kUnfinished * static_cast<double>(numbers_.counts.total)) {
      doubt(counted(unfinished, "request") + " of " + count_text(numbers_.counts.total) +
            " had not ended: the slowest ones are missing from the percentiles");
    } else if (unfinished > 0) {
      remark(counted(unfinished, "request") + " had not ended and are in no number");
    }
  }

  void add_remarks() {
    if (run_.was_interrupted) remark("interrupted: these are partial results");
    if (!run_.ended_early.empty()) remark("ended early: " + run_.ended_early);
    if (run_.is_over_saturated) {
      remark(
          "over-saturated: more and more requests in flight, latencies depend on how long it ran");
    }
    if (numbers_.tokens.without_usage > 0) {
      remark(counted(numbers_.tokens.without_usage, "answer") +
             " came without usage: tokens are counted by events there, at least one each");
    }
    if (!numbers_.window.is_steady && run_.requests.size() > 1) {
      remark("no steady second: throughput is over the whole run, with its end");
    }
    if (run_.not_kept > 0) {
      remark(counted(run_.not_kept, "request") +
             " beyond what a record holds are in the timeline only");
    }
    remark_on_lengths();
  }

  void remark_on_lengths() {
    uint64_t others = 0;
    uint64_t known = 0;
    for (const RequestRecord& request : run_.requests) {
      if (!is_ok(request) || request.wanted_output_tokens < 0 || request.output_tokens < 0)
        continue;
      ++known;
      others += request.output_tokens != request.wanted_output_tokens ? 1 : 0;
    }
    if (others * 20 > known) {
      remark(counted(others, "answer") + " of " + count_text(known) +
             " had another length than was asked for");
    }
  }

  const RunRecord& run_;
  const RunNumbers& numbers_;
  TrustReport report_;
  bool is_late_ = false;
  bool is_full_ = false;
};

}  // namespace

TrustReport trust_in(const RunRecord& run, const RunNumbers& numbers) {
  return Judge(run, numbers).report();
}

}  // namespace weir
