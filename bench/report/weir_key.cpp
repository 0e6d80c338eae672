#include <algorithm>
#include <array>

#include "bench/report/request_times.h"
#include "bench/report/run_json.h"

namespace weir {
namespace {

double seconds(int64_t ns) {
  return ns == kNoTime ? 0 : static_cast<double>(ns) / 1e9;
}

void write_texts(std::string_view name, const std::vector<std::string>& texts, JsonOut* out) {
  out->key(name).begin_array();
  for (const std::string& text : texts) out->text(text);
  out->end_array();
}

void write_samples(std::string_view name, const Samples& ms, const std::vector<double>& percents,
                   JsonOut* out) {
  if (ms.is_empty()) return;
  out->key(name).begin_object();
  out->put("count", ms.count());
  out->put("mean", ms.mean());
  out->put("std", ms.deviation());
  out->put("min", ms.least());
  for (const double percent : percents)
    out->put("p" + percent_text(percent), ms.percentile(percent));
  out->put("max", ms.most());
  out->end_object();
}

void write_latency(std::string_view name, const LatencyNumbers& latency,
                   const std::vector<double>& percents, JsonOut* out) {
  out->key(name).begin_object();
  write_samples("ttft", latency.ttft, percents, out);
  write_samples("ttft_from_send", latency.ttft_from_send, percents, out);
  write_samples("first_content", latency.first_content, percents, out);
  write_samples("first_byte", latency.first_byte, percents, out);
  write_samples("itl", latency.itl, percents, out);
  write_samples("tpot", latency.tpot, percents, out);
  write_samples("e2el", latency.e2el, percents, out);
  write_samples("e2el_from_send", latency.e2el_from_send, percents, out);
  write_samples("start_delay", latency.start_delay, percents, out);
  out->end_object();
}

void write_counts(const OutcomeCounts& counts, JsonOut* out) {
  out->key("requests").begin_object();
  out->put("total", counts.total);
  for (int i = 0; i < kRequestOutcomes; ++i) {
    out->put(to_string(static_cast<RequestOutcome>(i)), counts.outcomes[static_cast<size_t>(i)]);
  }
  out->end_object();
  out->key("faults").begin_object();
  for (int i = 1; i < kRequestFaults; ++i) {
    const uint64_t count = counts.faults[static_cast<size_t>(i)];
    if (count > 0) out->put(to_string(static_cast<RequestFault>(i)), count);
  }
  out->end_object();
}

std::string_view kind_of(LoadRecord::Kind kind) {
  constexpr std::array<std::string_view, 4> kNames{"open", "closed", "users", "trace"};
  return kNames[static_cast<size_t>(kind)];
}

// What was asked; two runs with the same "workload" may be compared.
void write_asked(const BenchReport& report, JsonOut* out) {
  const RunRecord& run = *report.run;
  const RunWords& words = report.words;
  out->put("version", words.version);
  out->put("started_at", run.started_at);
  write_texts("arguments", words.arguments, out);
  out->key("workload").begin_object();
  out->put("kind", kind_of(run.load.kind));
  out->put("load", words.load);
  out->put("work", words.work);
  out->put("model", words.model);
  out->put("endpoint", words.endpoint);
  out->put("streamed", run.is_streamed);
  out->put("seed", run.seed);
  out->put("warm_up_s", run.load.warm_up_s);
  out->put("think_s", run.load.think_s);
  out->put("speed", run.load.speed);
  out->end_object();
  out->put("length_check", words.length_check);
  write_texts("targets", words.targets, out);
}

void write_throughput(const RunNumbers& numbers, JsonOut* out) {
  out->key("window").begin_object();
  out->put("begin_s", seconds(numbers.window.begin_ns));
  out->put("end_s", seconds(numbers.window.end_ns));
  out->put("steady", numbers.window.is_steady);
  out->end_object();
  out->key("throughput").begin_object();
  out->put("requests_per_s", numbers.throughput.requests);
  out->put("output_tokens_per_s", numbers.throughput.output_tokens);
  out->put("input_tokens_per_s", numbers.throughput.input_tokens);
  out->put("events_per_s", numbers.throughput.events);
  out->end_object();
  out->key("tokens").begin_object();
  out->put("input", numbers.tokens.input);
  out->put("output", numbers.tokens.output);
  out->put("cached", numbers.tokens.cached);
  out->put("events", numbers.tokens.events);
  out->put("answers_without_usage", numbers.tokens.without_usage);
  out->end_object();
}

void write_conditions(std::string_view name, const std::vector<ConditionResult>& results,
                      JsonOut* out) {
  out->key(name).begin_array();
  for (const ConditionResult& result : results) {
    out->begin_object();
    out->put("condition", result.condition.text);
    out->key("value");
    result.is_known ? out->number(result.value) : out->null();
    out->put("limit", result.condition.limit);
    out->put("met", result.is_met);
    out->end_object();
  }
  out->end_array();
}

void write_goodput(const RunNumbers& numbers, const ReportSettings& settings, JsonOut* out) {
  if (!numbers.goodput) return;
  out->key("goodput").begin_object();
  write_texts("limits", settings.goodput_texts, out);
  out->put("good", numbers.goodput->good);
  out->put("share", numbers.goodput->share);
  out->put("requests_per_s", numbers.goodput->per_s);
  out->end_object();
}

void write_lag(std::string_view name, const LogHistogram& lag, JsonOut* out) {
  out->key(name).begin_object();
  out->put("count", lag.count());
  for (const double percent : {50.0, 99.0, 99.9}) {
    out->put("p" + percent_text(percent), static_cast<double>(lag.percentile(percent)) / 1e6);
  }
  out->put("max", static_cast<double>(lag.max()) / 1e6);
  out->end_object();
}

void write_tester(const BenchReport& report, JsonOut* out) {
  const TesterNumbers& tester = report.numbers.tester;
  out->key("tester").begin_object();
  out->put("trusted", report.trust.is_trusted());
  write_texts("reasons", report.trust.reasons, out);
  write_texts("remarks", report.trust.remarks, out);
  write_lag("loop_lag_ms", tester.loop_lag, out);
  write_lag("start_lag_ms", tester.start_lag, out);
  write_lag("read_lag_ms", tester.read_lag, out);
  out->put("kernel_times", report.run->has_kernel_times);
  out->put("threads", tester.threads);
  out->put("busy", tester.busy);
  out->put("busy_worst_second", tester.busy_most);
  out->put("cpu_us_per_event", tester.cpu_us_per_event);
  out->put("coalesced_share", tester.coalesced_share);
  out->end_object();
}

void write_backends(const RunNumbers& numbers, const std::vector<double>& percents, JsonOut* out) {
  out->key("backends").begin_array();
  for (const BackendNumbers& backend : numbers.backends) {
    out->begin_object();
    out->put("name", backend.name);
    out->put("share", backend.share);
    write_counts(backend.counts, out);
    out->put("output_tokens", backend.tokens.output);
    out->put("input_tokens", backend.tokens.input);
    out->put("cached_tokens", backend.tokens.cached);
    out->put("most_in_flight", backend.most_in_flight);
    out->put("remark", backend.remark);
    write_latency("latency_ms", backend.latency, percents, out);
    out->end_object();
  }
  out->end_array();
  out->key("imbalance").begin_object();
  out->put("most_to_mean", numbers.imbalance.most_to_mean);
  out->put("jain", numbers.imbalance.jain);
  out->end_object();
}

void write_difference(std::string_view name, const Difference& difference, JsonOut* out) {
  out->key(name).begin_object();
  out->put("direct", difference.a);
  out->put("proxy", difference.b);
  out->put("added", difference.b - difference.a);
  out->put("low", difference.absolute.low);
  out->put("high", difference.absolute.high);
  out->end_object();
}

void write_targets(const BenchReport& report, const std::vector<double>& percents, JsonOut* out) {
  if (report.numbers.targets.empty()) return;
  out->key("by_target").begin_array();
  for (const TargetNumbers& target : report.numbers.targets) {
    out->begin_object();
    out->put("name", target.target.name);
    out->put("role", target.target.role == TargetRecord::Role::proxy ? "proxy" : "direct");
    write_counts(target.counts, out);
    write_latency("latency_ms", target.latency, percents, out);
    out->end_object();
  }
  out->end_array();
  if (!report.added) return;
  out->key("added_by_proxy_ms").begin_object();
  write_difference("ttft_p50", report.added->ttft_p50, out);
  write_difference("ttft_p99", report.added->ttft_p99, out);
  write_difference("itl_p50", report.added->itl_p50, out);
  write_difference("itl_p99", report.added->itl_p99, out);
  out->end_object();
}

void write_chaos(const BenchReport& report, JsonOut* out) {
  out->key("chaos").begin_array();
  for (const ChaosCost& cost : report.chaos) {
    out->begin_object();
    out->put("action", cost.action);
    out->put("result", cost.result);
    out->put("ok", cost.is_ok);
    out->put("at_s", cost.at_s);
    out->put("until_s", cost.until_s);
    write_counts(cost.ended, out);
    out->put("lost", cost.ended.lost());
    out->put("retried", cost.retried);
    out->put("longest_gap_ms", cost.longest_gap_ms);
    out->put("ttft_p99_ms", cost.ttft_p99_ms);
    out->put("ttft_p99_before_ms", cost.ttft_p99_before_ms);
    out->put("events_per_s_before", cost.events_before);
    out->put("events_in_worst_second", cost.events_least);
    out->key("recovered_s");
    cost.recovered_s < 0 ? out->null() : out->number(cost.recovered_s);
    out->end_object();
  }
  out->end_array();
}

// Columns, since an hour has 3,600 rows.
void write_timeline(const BenchReport& report, JsonOut* out) {
  const std::vector<TimelineSecond>& seconds = report.run->timeline;
  const auto column = [&](std::string_view name, auto read) {
    out->key(name).begin_array();
    for (const TimelineSecond& second : seconds) out->number(read(second));
    out->end_array();
  };
  out->key("timeline").begin_object();
  column("planned", [](const TimelineSecond& second) { return second.planned; });
  column("sent", [](const TimelineSecond& second) { return second.sent; });
  column("ok", [](const TimelineSecond& second) { return second.ok; });
  column("truncated", [](const TimelineSecond& second) { return second.truncated; });
  column("failed", [](const TimelineSecond& second) { return second.failed; });
  column("rejected", [](const TimelineSecond& second) { return second.rejected; });
  column("first_tokens", [](const TimelineSecond& second) { return second.first_tokens; });
  column("token_events", [](const TimelineSecond& second) { return second.token_events; });
  column("output_tokens", [](const TimelineSecond& second) { return second.output_tokens; });
  column("in_flight", [](const TimelineSecond& second) { return second.in_flight; });
  column("bytes_in", [](const TimelineSecond& second) { return second.bytes_in; });
  column("tester_lag_ms",
         [](const TimelineSecond& second) { return static_cast<double>(second.max_lag_ns) / 1e6; });
  const auto latency = [&](std::string_view name, double SecondNumbers::*member) {
    out->key(name).begin_array();
    for (const SecondNumbers& second : report.numbers.seconds) {
      second.*member < 0 ? out->null() : out->number(second.*member);
    }
    out->end_array();
  };
  latency("ttft_p50_ms", &SecondNumbers::ttft_p50);
  latency("ttft_p99_ms", &SecondNumbers::ttft_p99);
  latency("itl_p99_ms", &SecondNumbers::itl_p99);
  out->end_object();
}

void write_errors(const BenchReport& report, JsonOut* out) {
  out->key("errors").begin_array();
  for (const auto& [text, count] : report.errors) {
    out->begin_object();
    out->put("count", count);
    out->put("text", text);
    out->end_object();
  }
  out->end_array();
}

// Of --find-max, in the run that its report is about; 0 = none was seen.
void write_search(const BenchReport& report, JsonOut* out) {
  if (!report.search) return;
  out->key("search").begin_object();
  out->put("highest_that_holds", report.search->highest_good);
  out->put("lowest_that_breaks", report.search->lowest_bad);
  out->put("unit", report.search->unit);
  out->put("steps", report.search->steps);
  out->end_object();
}

}  // namespace

void write_weir_key(const BenchReport& report, const ReportSettings& settings, JsonOut* out) {
  const RunNumbers& numbers = report.numbers;
  out->key("weir").begin_object();
  out->put("format", kRunFormat);
  write_asked(report, out);
  out->put("verdict", report.verdict.text);
  out->put("exit_status", report.verdict.exit_status);
  out->put("interrupted", report.run->was_interrupted);
  out->put("ended_early", report.words.ended_early);
  out->put("over_saturated", report.run->is_over_saturated);
  write_search(report, out);
  write_counts(numbers.counts, out);
  write_errors(report, out);
  out->put("warm_up_requests", numbers.warm_up);
  out->put("never_sent", report.run->not_started);
  out->put("resent", numbers.resent);
  out->put("retried", numbers.retried);
  write_throughput(numbers, out);
  write_latency("latency_ms", numbers.latency, settings.percents, out);
  write_goodput(numbers, settings, out);
  write_conditions("slo", report.verdict.slo, out);
  write_conditions("fail_on", report.verdict.fail_on, out);
  write_tester(report, out);
  write_backends(numbers, settings.percents, out);
  write_targets(report, settings.percents, out);
  write_chaos(report, out);
  write_timeline(report, out);
  out->end_object();
}

std::string run_json(const BenchReport& report, const ReportSettings& settings) {
  JsonOut out;
  out.begin_object();
  write_vllm_keys(report, settings, &out);
  write_weir_key(report, settings, &out);
  out.end_object();
  return out.take();
}

}  // namespace weir
