#include "bench/report/comparison.h"

#include <algorithm>
#include <array>

#include "bench/report/text.h"

namespace weir {
namespace {

using Finding = ComparedMeasure::Finding;

constexpr size_t kFewestRequests = 20;
constexpr size_t kFewestForTail = 100;
constexpr size_t kFewestSeconds = 8;

class Comparer {
 public:
  Comparer(const RunFile& a, const RunFile& b, const ComparisonOptions& options)
      : a_(a), b_(b), options_(options) {}

  Comparison run() {
    add_rate("requests/s", "req/s", &RunFile::requests_by_second, &RunFile::requests_per_s);
    add_rate("output tokens/s", "tok/s", &RunFile::tokens_by_second, &RunFile::output_tokens_per_s);
    add_latency("TTFT", &RunSeries::ttft);
    add_latency("ITL", &RunSeries::itl);
    add_latency("TPOT", &RunSeries::tpot);
    add_latency("E2EL", &RunSeries::e2el);
    add_lost();
    add_notes();
    conclude();
    return std::move(comparison_);
  }

 private:
  // `low` and `high` bound the change for the worse; `change` is the one that was seen.
  Finding finding_of(double change, Interval worsening) const {
    const double threshold = options_.threshold;
    if (worsening.low > 0 && change >= threshold) return Finding::worse;
    if (worsening.high < 0 && change <= -threshold) return Finding::better;
    const bool is_within = worsening.low >= -threshold && worsening.high <= threshold;
    return is_within ? Finding::same : Finding::cannot_tell;
  }

  void judge(ComparedMeasure* measure, bool more_is_worse) const {
    const Difference& difference = measure->difference;
    const Interval interval = measure->is_share ? difference.absolute : difference.relative;
    double change = difference.b - difference.a;
    if (!measure->is_share) change = difference.a > 0 ? difference.b / difference.a - 1 : 0;
    if (!measure->is_share && difference.a <= 0) {
      measure->why = "A has no such time";
      return;
    }
    measure->finding = more_is_worse ? finding_of(change, interval)
                                     : finding_of(-change, {-interval.high, -interval.low});
    if (measure->finding == Finding::cannot_tell) measure->why = "could be chance";
  }

  void add_rate(std::string name, std::string unit, std::vector<double> RunFile::*seconds,
                double RunFile::*mean) {
    ComparedMeasure& measure = comparison_.measures.emplace_back();
    measure.name = std::move(name);
    measure.unit = std::move(unit);
    measure.difference = mean_difference(a_.*seconds, b_.*seconds, options_.resample);
    measure.difference.a = a_.*mean;
    measure.difference.b = b_.*mean;
    if (std::min((a_.*seconds).size(), (b_.*seconds).size()) < kFewestSeconds) {
      measure.why = "fewer than 8 steady seconds";
      return;
    }
    judge(&measure, false);
  }

  void add_latency(const std::string& name, Series RunSeries::*which) {
    const Series& a = a_.series.*which;
    const Series& b = b_.series.*which;
    // Gaps need requests.jsonl or --detailed; a run without streaming has none.
    if (a.count() == 0 && b.count() == 0) return;
    for (const double percent : {50.0, 99.0}) {
      ComparedMeasure& measure = comparison_.measures.emplace_back();
      measure.name = name + " p" + (percent == 50 ? "50" : "99");
      measure.unit = "ms";
      const size_t fewest = std::min(a.owners(), b.owners());
      if (fewest < kFewestRequests || (percent > 50 && fewest < kFewestForTail)) {
        measure.difference = {a.percentile(percent), b.percentile(percent), {}, {}};
        measure.why = fewest == 0 ? "one run has no requests.jsonl" : "too few requests";
        continue;
      }
      measure.difference = percentile_difference(a, b, percent, options_.resample);
      judge(&measure, true);
    }
  }

  void add_lost() {
    ComparedMeasure& measure = comparison_.measures.emplace_back();
    measure.name = "lost requests";
    measure.unit = "%";
    measure.is_share = true;
    const Share a{a_.lost, a_.ok + a_.lost};
    const Share b{b_.lost, b_.ok + b_.lost};
    measure.difference = share_difference(a, b, options_.resample);
    if (a_.lost == 0 && b_.lost == 0) {
      measure.finding = Finding::same;
      return;
    }
    if (std::min(a.all, b.all) < kFewestRequests) {
      measure.why = "too few requests";
      return;
    }
    // Of losses every share counts, not only one beyond the threshold.
    const Interval interval = measure.difference.absolute;
    measure.finding = interval.low > 0    ? Finding::worse
                      : interval.high < 0 ? Finding::better
                                          : Finding::cannot_tell;
    if (measure.finding == Finding::cannot_tell) measure.why = "could be chance";
  }

  void add_notes() {
    for (const RunFile* file : {&a_, &b_}) {
      const std::string name = file == &a_ ? "A" : "B";
      for (const std::string& reason : file->reasons) {
        comparison_.notes.push_back(name + " was not trusted: " + reason);
      }
      if (file->was_interrupted) comparison_.notes.push_back(name + " was interrupted");
      if (!file->note.empty()) comparison_.notes.push_back(name + ": " + file->note);
    }
    if (a_.seed != b_.seed)
      comparison_.notes.push_back("the seeds differ: other prompts and times");
    if (a_.version != b_.version) {
      comparison_.notes.push_back("weir " + a_.version + " measured A, weir " + b_.version + " B");
    }
    for (size_t i = 0; i < std::min(a_.workload.size(), b_.workload.size()); ++i) {
      if (a_.workload[i] == b_.workload[i]) continue;
      comparison_.notes.push_back("different " + a_.workload[i].first + ": " +
                                  a_.workload[i].second + " and " + b_.workload[i].second);
    }
  }

  void conclude() {
    std::string worse;
    std::string better;
    size_t unknown = 0;
    for (const ComparedMeasure& measure : comparison_.measures) {
      std::string* list = measure.finding == Finding::worse    ? &worse
                          : measure.finding == Finding::better ? &better
                                                               : nullptr;
      if (list != nullptr) *list += (list->empty() ? "" : ", ") + measure.name;
      unknown += measure.finding == Finding::cannot_tell ? 1 : 0;
    }
    comparison_.is_trusted = a_.is_trusted && b_.is_trusted;
    std::string& verdict = comparison_.verdict;
    verdict = worse.empty() ? "nothing is worse" : "worse: " + worse;
    if (!better.empty()) verdict += "; better: " + better;
    if (unknown > 0) verdict += "; of " + counted(unknown, "measure") + " one cannot tell";
    comparison_.exit_status = worse.empty() ? 0 : 3;
    if (comparison_.is_trusted) return;
    verdict = "NOT TRUSTED, so nothing follows (" + verdict + ")";
    comparison_.exit_status = 4;
  }

  const RunFile& a_;
  const RunFile& b_;
  const ComparisonOptions& options_;
  Comparison comparison_;
};

}  // namespace

std::string_view to_string(Finding finding) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"same", "better", "worse", "cannot tell"};
  return kNames[static_cast<size_t>(finding)];
}

Result<Comparison, Problem> compare_runs(const RunFile& a, const RunFile& b,
                                         const ComparisonOptions& options) {
  std::string different;
  for (size_t i = 0; i < std::min(a.workload.size(), b.workload.size()); ++i) {
    if (a.workload[i] == b.workload[i]) continue;
    different += (different.empty() ? "" : "; ") + a.workload[i].first + ": " +
                 a.workload[i].second + " and " + b.workload[i].second;
  }
  if (!different.empty() && !options.anyway) {
    return Problem{"these runs are not comparable, their workloads differ (" + different + ")",
                   "measure both with the same options, or say --anyway"};
  }
  return Comparer(a, b, options).run();
}

}  // namespace weir
