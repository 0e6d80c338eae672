// Definitions as in vLLM's benchmarks/serve.py, with two differences that docs/bench.md names: the
// first token is the first text, and a cut stream is no success.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "bench/report/request_times.h"
#include "bench/report/run_json.h"

namespace weir {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

bool is_counted(const RequestRecord& request) {
  return !request.is_warm_up && request.outcome != RequestOutcome::unfinished;
}

double seconds_of(double ms) {
  return ms < 0 ? 0 : ms / 1000;
}

void write_traffic(const LoadRecord& load, JsonOut* out) {
  const bool is_open = load.kind == LoadRecord::Kind::open || load.kind == LoadRecord::Kind::trace;
  out->put("request_rate", is_open && load.rate > 0 ? load.rate : kInfinite);
  out->put("burstiness", load.burstiness);
  out->key("max_concurrency");
  load.concurrency == 0 ? out->null() : out->number(load.concurrency);
  if (load.rate_begin <= 0 && load.rate_end <= 0) return;
  out->put("ramp_up_strategy", "linear");
  out->put("ramp_up_start_rps", load.rate_begin);
  out->put("ramp_up_end_rps", load.rate_end);
}

void write_totals(const RunNumbers& numbers, JsonOut* out) {
  const double duration = numbers.duration_s;
  const auto rate = [&](double count) { return duration > 0 ? count / duration : 0.0; };
  const double output = static_cast<double>(numbers.tokens.output);
  const double input = static_cast<double>(numbers.tokens.input);
  out->put("duration", duration);
  out->put("completed", numbers.counts.ok());
  out->put("failed", numbers.counts.lost());
  out->put("total_input_tokens", numbers.tokens.input);
  out->put("total_output_tokens", numbers.tokens.output);
  out->put("request_throughput", rate(static_cast<double>(numbers.counts.ok())));
  out->key("request_goodput");
  numbers.goodput ? out->number(rate(numbers.goodput->vllm_good)) : out->null();
  out->put("output_throughput", rate(output));
  out->put("total_token_throughput", rate(input + output));
  out->put("max_output_tokens_per_s", numbers.best_second_events);
  out->put("max_concurrent_requests", numbers.most_open);
  out->put("rtfx", 0.0);
}

void write_metric(std::string_view name, const Samples& ms, const std::vector<double>& percents,
                  JsonOut* out) {
  const std::string tail = "_" + std::string(name) + "_ms";
  out->put("mean" + tail, ms.mean());
  out->put("median" + tail, ms.median());
  out->put("std" + tail, ms.deviation());
  for (const double percent : percents) {
    out->put("p" + percent_text(percent) + tail, ms.percentile(percent));
  }
}

template <typename Write>
void write_array(const RunRecord& run, std::string_view name, JsonOut* out, Write write) {
  out->key(name).begin_array();
  for (const RequestRecord& request : run.requests) {
    if (is_counted(request)) write(request);
  }
  out->end_array();
}

void write_details(const BenchReport& report, JsonOut* out) {
  const RunRecord& run = *report.run;
  write_array(run, "input_lens", out, [&](const RequestRecord& request) {
    out->number(std::max({0, request.prompt_tokens, request.wanted_prompt_tokens}));
  });
  write_array(run, "output_lens", out, [&](const RequestRecord& request) {
    out->number(is_ok(request) ? output_tokens_of(request) : 0);
  });
  write_array(run, "ttfts", out, [&](const RequestRecord& request) {
    out->number(is_ok(request) ? seconds_of(ttft_from_send_ms(request)) : 0);
  });
  write_array(run, "itls", out, [&](const RequestRecord& request) {
    out->begin_array();
    if (is_ok(request)) {
      for (const uint32_t gap : run.gaps_of(request)) out->number(gap_ms(gap) / 1000);
    }
    out->end_array();
  });
  write_array(run, "start_times", out, [&](const RequestRecord& request) {
    out->number(seconds_of(ms_between(0, request.sent_ns)));
  });
  // The texts are not kept, and the key is expected.
  write_array(run, "generated_texts", out, [&](const RequestRecord&) { out->text(""); });
  write_array(run, "errors", out, [&](const RequestRecord& request) {
    if (is_ok(request)) return out->text("");
    const bool has_text = request.error != 0 && request.error < report.words.texts.size();
    out->text(has_text ? report.words.texts[request.error] : to_string(request.fault));
  });
}

}  // namespace

void write_vllm_keys(const BenchReport& report, const ReportSettings& settings, JsonOut* out) {
  const RunRecord& run = *report.run;
  const LatencyNumbers& latency = report.numbers.latency;
  const std::string_view backend = run.is_chat ? "openai-chat" : "openai";
  const auto label =
      std::ranges::find(settings.metadata, "label", &std::pair<std::string, std::string>::first);
  out->put("date", run.date);
  out->put("endpoint_type", backend);
  out->put("backend", backend);
  out->key("label");
  label == settings.metadata.end() ? out->null() : out->text(label->second);
  out->put("model_id", report.words.model);
  out->put("tokenizer_id", report.words.model);  // none is used
  out->put("num_prompts", report.numbers.counts.total);
  for (const auto& [key, value] : settings.metadata) {
    if (key != "label") out->put(key, value);
  }
  write_traffic(run.load, out);
  write_totals(report.numbers, out);
  write_metric("ttft", latency.ttft_from_send, settings.percents, out);
  write_metric("tpot", latency.tpot, settings.percents, out);
  write_metric("itl", latency.itl, settings.percents, out);
  write_metric("e2el", latency.e2el_from_send, settings.percents, out);
  write_metric("client_queue_time", latency.start_delay, settings.percents, out);
  write_metric("e2el_including_client_queue", latency.e2el, settings.percents, out);
  write_array(run, "latencies", out, [&](const RequestRecord& request) {
    out->number(is_ok(request) ? seconds_of(e2el_from_send_ms(request)) : 0);
  });
  write_array(run, "queue_times", out, [&](const RequestRecord& request) {
    out->number(seconds_of(start_delay_ms(request)));
  });
  if (settings.is_detailed) write_details(report, out);
}

bool is_taken_key(std::string_view key) {
  constexpr std::string_view kTaken =
      " weir date endpoint_type backend model_id tokenizer_id num_prompts request_rate "
      " burstiness max_concurrency ramp_up_strategy ramp_up_start_rps ramp_up_end_rps "
      " duration completed failed total_input_tokens total_output_tokens "
      " request_throughput request_goodput output_throughput total_token_throughput "
      " max_output_tokens_per_s max_concurrent_requests rtfx input_lens output_lens "
      " ttfts itls start_times generated_texts errors latencies queue_times ";
  return key.empty() || key.ends_with("_ms") || key.find(' ') != std::string_view::npos ||
         kTaken.find(" " + std::string(key) + " ") != std::string_view::npos;
}

}  // namespace weir
