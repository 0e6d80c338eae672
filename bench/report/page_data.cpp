#include "bench/report/page_data.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "bench/report/json_out.h"
#include "bench/report/request_times.h"

namespace weir {
namespace {

constexpr size_t kMostBins = 600;
constexpr size_t kMostDots = 1500;
constexpr size_t kMostBackends = 64;
constexpr size_t kMostSteps = 200;

// Four figures are more than a plot shows.
double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 4);
  return std::round(value / unit) * unit;
}

void write_curve(const Samples& samples, JsonOut* out) {
  out->key("curve").begin_array();
  const auto point = [&](double percent) {
    out->begin_array();
    out->number(percent);
    out->number(rounded(samples.percentile(percent)));
    out->end_array();
  };
  for (int percent = 0; percent < 99; ++percent) point(percent);
  // Beyond that as far as there are samples.
  for (const double nine : {99.0, 99.9, 99.99}) {
    for (int i = 0; i < 9; ++i) {
      const double percent = std::round((nine + i * (100 - nine) / 10) * 1e4) / 1e4;
      if (percent > 99 && !samples.has_tail(percent)) break;
      point(percent);
    }
  }
  out->end_array();
}

void write_limits(std::string_view name, const Verdict& verdict, JsonOut* out) {
  constexpr std::array<std::string_view, 4> kNames{"TTFT", "TPOT", "ITL", "E2EL"};
  out->key("limits").begin_array();
  for (const ConditionResult& result : verdict.slo) {
    const Condition& condition = result.condition;
    if (condition.measure > Condition::Measure::e2el || condition.is_above) continue;
    if (kNames[static_cast<size_t>(condition.measure)] != name) continue;
    out->begin_object();
    out->put("ms", condition.limit);
    out->put("text", condition.text);
    out->end_object();
  }
  out->end_array();
}

void write_measures(const BenchReport& report, JsonOut* out) {
  constexpr std::array<std::string_view, 4> kColours{"teal", "blue", "purple", "orange"};
  out->key("measures").begin_array();
  size_t index = 0;
  for (const MeasureRow& measure : plotted_measures(report.numbers)) {
    out->begin_object();
    out->put("name", measure.name);
    out->put("colour", kColours[index++ % kColours.size()]);
    write_curve(*measure.samples, out);
    write_limits(measure.name, report.verdict, out);
    out->end_object();
  }
  out->end_array();
}

// Seconds in bins, so that a day has no more of them than two minutes.
class Timeline {
 public:
  Timeline(const BenchReport& report, JsonOut* out)
      : report_(report),
        seconds_(report.run->timeline),
        step_((seconds_.size() + kMostBins - 1) / kMostBins),
        out_(out) {}

  void write() {
    const RunNumbers& numbers = report_.numbers;
    const double events = static_cast<double>(std::max<uint64_t>(1, numbers.tokens.events));
    const double per_event = static_cast<double>(numbers.tokens.output) / events;
    out_->key("timeline").begin_object();
    out_->put("step", step_);
    out_->put("steady_begin", static_cast<double>(numbers.window.begin_ns) / 1e9);
    out_->put("steady_end", static_cast<double>(numbers.window.end_ns) / 1e9);
    mean("tokens", [&](size_t i) { return seconds_[i].token_events * per_event; });
    mean("in_flight", [&](size_t i) { return seconds_[i].in_flight; });
    sum("truncated", [&](size_t i) { return seconds_[i].truncated; });
    sum("failed", [&](size_t i) { return seconds_[i].failed; });
    sum("rejected", [&](size_t i) { return seconds_[i].rejected; });
    most("lag", [&](size_t i) { return static_cast<double>(seconds_[i].max_lag_ns) / 1e6; });
    const std::vector<SecondNumbers>& latency = numbers.seconds;
    most("ttft_p50", [&](size_t i) { return latency[i].ttft_p50; });
    most("ttft_p99", [&](size_t i) { return latency[i].ttft_p99; });
    most("itl_p99", [&](size_t i) { return latency[i].itl_p99; });
    out_->end_object();
  }

 private:
  template <typename Bin>
  void bins(std::string_view name, Bin bin) {
    out_->key(name).begin_array();
    for (size_t begin = 0; begin < seconds_.size(); begin += step_) {
      const double value = bin(begin, std::min(begin + step_, seconds_.size()));
      value < 0 ? out_->null() : out_->number(rounded(value));
    }
    out_->end_array();
  }

  template <typename Read>
  void sum(std::string_view name, Read read) {
    bins(name, [&](size_t begin, size_t end) {
      double total = 0;
      for (size_t i = begin; i < end; ++i) total += read(i);
      return total;
    });
  }
  template <typename Read>
  void mean(std::string_view name, Read read) {
    bins(name, [&](size_t begin, size_t end) {
      double total = 0;
      for (size_t i = begin; i < end; ++i) total += read(i);
      return total / static_cast<double>(end - begin);
    });
  }
  template <typename Read>
  void most(std::string_view name, Read read) {
    bins(name, [&](size_t begin, size_t end) {
      double value = read(begin);
      for (size_t i = begin; i < end; ++i) value = std::max<double>(value, read(i));
      return value;
    });
  }

  const BenchReport& report_;
  const std::vector<TimelineSecond>& seconds_;
  size_t step_;
  JsonOut* out_;
};

// [when planned, TTFT, 0 = ok or 1 = lost]; every lost one comes before an ok one is thinned.
void write_dots(const RunRecord& run, JsonOut* out) {
  RequestList ok;
  RequestList lost;
  for (const RequestRecord& request : run.requests) {
    if (is_lost(request)) lost.push_back(&request);
    if (is_ok(request) && request.first_token_ns != kNoTime) ok.push_back(&request);
  }
  out->key("dots").begin_array();
  const auto write = [&](const RequestList& list, int kind) {
    const size_t step = list.size() / kMostDots + 1;
    for (size_t i = 0; i < list.size(); i += step) {
      const RequestRecord& request = *list[i];
      const int64_t at =
          kind == 0 || request.ended_ns == kNoTime ? request.planned_ns : request.ended_ns;
      out->begin_array();
      out->number(std::round(static_cast<double>(at) / 1e7) / 100);
      out->number(kind == 0 ? rounded(ttft_ms(request)) : 0.0);
      out->number(kind);
      out->end_array();
    }
  };
  write(ok, 0);
  write(lost, 1);
  out->end_array();
}

void write_chaos(const BenchReport& report, JsonOut* out) {
  out->key("chaos").begin_array();
  for (const ChaosCost& cost : report.chaos) {
    out->begin_object();
    out->put("at", cost.at_s);
    out->put("text", cost.action + ": " + cost.result);
    out->end_object();
  }
  out->end_array();
}

void write_backends(const RunNumbers& numbers, JsonOut* out) {
  const auto range = [&](std::string_view name, const Samples& samples) {
    if (samples.is_empty()) return;
    out->key(name).begin_array();
    out->number(rounded(samples.median()));
    out->number(rounded(samples.percentile(99)));
    out->end_array();
  };
  out->key("backends").begin_array();
  for (size_t i = 0; i < std::min(kMostBackends, numbers.backends.size()); ++i) {
    const BackendNumbers& backend = numbers.backends[i];
    out->begin_object();
    out->put("name", backend.name);
    range("ttft", backend.latency.ttft);
    range("tpot", backend.latency.tpot);
    out->end_object();
  }
  out->end_array();
}

void write_steps(const ReportDocument& document, JsonOut* out) {
  out->key("steps").begin_array();
  for (size_t i = 0; i < std::min(kMostSteps, document.steps.size()); ++i) {
    const StepRow& step = document.steps[i];
    const RunNumbers& numbers = step.report->numbers;
    out->begin_object();
    out->put("load", step.load);
    out->put("value", step.value);
    out->put("ttft_p99", rounded(numbers.latency.ttft.percentile(99)));
    out->put("tokens", rounded(numbers.throughput.output_tokens));
    out->put("good", step.report->verdict.exit_status == 0);
    out->put("verdict", step.report->verdict.text);
    out->end_object();
  }
  out->end_array();
}

}  // namespace

std::vector<MeasureRow> plotted_measures(const RunNumbers& numbers) {
  std::vector<MeasureRow> rows = measures_of(numbers);
  std::erase_if(rows, [](const MeasureRow& row) {
    return row.name != "TTFT" && row.name != "ITL" && row.name != "TPOT" && row.name != "E2EL";
  });
  return rows;
}

std::string page_data(const ReportDocument& document) {
  const BenchReport& report = document.chosen;
  JsonOut out(0);
  out.begin_object();
  write_measures(report, &out);
  if (!report.run->timeline.empty()) Timeline(report, &out).write();
  write_dots(*report.run, &out);
  write_chaos(report, &out);
  write_backends(report.numbers, &out);
  write_steps(document, &out);
  out.put("step_unit", document.load_unit);
  out.end_object();
  return out.take();
}

}  // namespace weir
