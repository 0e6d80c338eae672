#include "bench/report/verdict.h"

#include <algorithm>

#include "bench/report/text.h"

namespace weir {
namespace {

using Measure = Condition::Measure;

const Samples& samples_for(const LatencyNumbers& latency, Measure measure) {
  if (measure == Measure::ttft) return latency.ttft;
  if (measure == Measure::tpot) return latency.tpot;
  return measure == Measure::itl ? latency.itl : latency.e2el;
}

void read_latency(const LatencyNumbers& latency, ConditionResult* result) {
  const Condition& condition = result->condition;
  const Samples& samples = samples_for(latency, condition.measure);
  result->is_known = !samples.is_empty();
  switch (condition.statistic) {
    case Condition::Statistic::mean:
      result->value = samples.mean();
      return;
    case Condition::Statistic::most:
      result->value = samples.most();
      return;
    default:
      result->value = samples.percentile(condition.percent);
  }
}

void read_count(const OutcomeCounts& counts, ConditionResult* result) {
  uint64_t count = counts.lost();
  if (result->condition.measure == Measure::truncated) count = counts.of(RequestOutcome::truncated);
  if (result->condition.measure == Measure::failed) count = counts.of(RequestOutcome::failed);
  if (result->condition.measure == Measure::rejected) count = counts.of(RequestOutcome::rejected);
  result->value = static_cast<double>(count);
  result->is_known = true;
  if (!result->condition.is_share) return;
  result->is_known = counts.finished() > 0;
  result->value /= static_cast<double>(std::max<uint64_t>(1, counts.finished()));
}

void read_value(const RunNumbers& numbers, ConditionResult* result) {
  result->is_known = true;
  switch (result->condition.measure) {
    case Measure::output_throughput:
      result->value = numbers.throughput.output_tokens;
      return;
    case Measure::request_throughput:
      result->value = numbers.throughput.requests;
      return;
    case Measure::goodput:
      result->is_known = numbers.goodput.has_value();
      if (result->is_known) result->value = numbers.goodput->per_s;
      return;
    case Measure::goodput_share:
      result->is_known = numbers.goodput.has_value() && numbers.counts.finished() > 0;
      if (result->is_known) result->value = numbers.goodput->share;
      return;
    case Measure::errors:
    case Measure::truncated:
    case Measure::failed:
    case Measure::rejected:
      return read_count(numbers.counts, result);
    default:
      return read_latency(numbers.latency, result);
  }
}

std::string value_text(const Condition& condition, double value) {
  if (condition.measure <= Measure::e2el) return ms_text(value) + " ms";
  if (condition.is_share || condition.measure == Measure::goodput_share) return in_percent(value);
  if (condition.measure <= Measure::rejected) return count_text(static_cast<uint64_t>(value));
  return ms_text(value) + (condition.measure == Measure::output_throughput ? " tok/s" : " req/s");
}

std::vector<ConditionResult> results_of(const RunNumbers& numbers,
                                        const std::vector<Condition>& conditions, bool must_hold) {
  std::vector<ConditionResult> results;
  for (const Condition& condition : conditions) {
    ConditionResult& result = results.emplace_back();
    result.condition = condition;
    read_value(numbers, &result);
    const bool holds = result.is_known && condition.holds_for(result.value);
    // What has no number breaks an SLO, and is nothing to fail on.
    result.is_met = must_hold ? holds : !holds;
    const std::string value =
        result.is_known ? value_text(condition, result.value) : "no such number in this run";
    result.text = condition.text + ": " + value;
  }
  return results;
}

bool all_met(const std::vector<ConditionResult>& results) {
  return std::ranges::all_of(results, &ConditionResult::is_met);
}

std::string line_of(const Verdict& verdict, const RunNumbers& numbers, const TrustReport& trust) {
  std::string line = trust.is_trusted() ? "trusted" : "NOT TRUSTED";
  if (numbers.counts.lost() > 0) {
    line += ", " + count_text(numbers.counts.lost()) + " of " +
            counted(numbers.counts.finished(), "request") + " lost";
  }
  for (const ConditionResult& result : verdict.fail_on) {
    if (!result.is_met) line += ", --fail-on " + result.text;
  }
  if (!verdict.slo.empty()) {
    const auto broken = std::ranges::count(verdict.slo, false, &ConditionResult::is_met);
    line += broken == 0 ? ", every SLO holds"
                        : ", " + std::to_string(broken) + " of " +
                              counted(verdict.slo.size(), "SLO") + " broken";
  }
  return line;
}

}  // namespace

bool Verdict::holds() const {
  return all_met(slo);
}

Verdict verdict_of(const RunNumbers& numbers, const TrustReport& trust,
                   const VerdictOptions& options) {
  Verdict verdict;
  verdict.slo = results_of(numbers, options.slo, true);
  verdict.fail_on = results_of(numbers, options.fail_on, false);
  verdict.is_lossy = numbers.counts.lost() > 0 && !options.allow_failed;
  if (verdict.is_lossy || !all_met(verdict.fail_on)) {
    verdict.exit_status = 1;
  } else if (!trust.is_trusted()) {
    verdict.exit_status = 4;
  } else if (!all_met(verdict.slo)) {
    verdict.exit_status = 3;
  }
  verdict.text = line_of(verdict, numbers, trust);
  return verdict;
}

}  // namespace weir
