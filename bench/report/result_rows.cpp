#include <algorithm>

#include "bench/report/result_table.h"
#include "bench/report/text.h"

namespace weir {
namespace {

// How many characters a terminal shows; every UTF-8 sequence as one.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string tail_text(const Samples& samples, double percent) {
  return samples.is_empty() ? "-" : ms_text(samples.percentile(percent));
}

std::string lag_text(const LogHistogram& lag, double percent) {
  return lag.count() == 0 ? "-" : ms_text(static_cast<double>(lag.percentile(percent)) / 1e6);
}

}  // namespace

std::string aligned(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const TableRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (i == 0 ? row[i] + blanks : blanks + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::vector<MeasureRow> measures_of(const RunNumbers& numbers) {
  const LatencyNumbers& latency = numbers.latency;
  std::vector<MeasureRow> rows{
      {"TTFT", "from the planned start to the first token", &latency.ttft},
      {"TTFT sent", "from the send to the first token, as others print it",
       &latency.ttft_from_send},
      {"TTFC sent", "from the send to the first text that is not reasoning",
       &latency.first_content},
      {"ITL", "every gap between events with text", &latency.itl},
      {"TPOT", "decode time of a request / (tokens - 1)", &latency.tpot},
      {"E2EL", "from the planned start to the last token", &latency.e2el},
      {"start delay", "from the planned start to the send", &latency.start_delay},
  };
  const auto is_needless = [&](const MeasureRow& row) {
    if (row.samples->is_empty()) return true;
    // The same as TTFT where no reasoning came.
    return row.samples == &latency.first_content &&
           latency.first_content.median() <= 1.001 * latency.ttft_from_send.median();
  };
  std::erase_if(rows, is_needless);
  return rows;
}

TableRow backend_heads() {
  return {"backend",  "share",   "requests", "lost",   "TTFT p50",       "p99",
          "TPOT p50", "ITL p99", "tokens",   "cached", "most in flight", ""};
}

TableRow backend_cells(const BackendNumbers& backend) {
  const LatencyNumbers& latency = backend.latency;
  const double input = static_cast<double>(backend.tokens.input);
  const std::string cached =
      input > 0 ? in_percent(static_cast<double>(backend.tokens.cached) / input) : "-";
  return {backend.name,
          in_percent(backend.share),
          count_text(backend.counts.total),
          count_text(backend.counts.lost()),
          tail_text(latency.ttft, 50),
          tail_text(latency.ttft, 99),
          tail_text(latency.tpot, 50),
          tail_text(latency.itl, 99),
          count_text(backend.tokens.output),
          cached,
          count_text(backend.most_in_flight),
          backend.remark};
}

TableRow chaos_heads() {
  return {"event",       "at",       "result", "lost",           "retried",
          "longest gap", "TTFT p99", "before", "worst events/s", "recovered"};
}

TableRow chaos_cells(const ChaosCost& cost) {
  const auto ms = [](double value) { return value < 0 ? "-" : ms_text(value) + " ms"; };
  return {cost.action,
          seconds_text(cost.at_s),
          cost.result,
          count_text(cost.ended.lost()),
          count_text(cost.retried),
          ms(cost.longest_gap_ms),
          ms(cost.ttft_p99_ms),
          ms(cost.ttft_p99_before_ms),
          number_text(cost.events_least, 0) + " of " + number_text(cost.events_before, 0),
          cost.recovered_s < 0 ? "-" : seconds_text(cost.recovered_s)};
}

std::vector<std::string> outcome_texts(const OutcomeCounts& counts) {
  std::vector<std::string> texts{"ok " + count_text(counts.ok())};
  for (const RequestOutcome outcome : {RequestOutcome::truncated, RequestOutcome::failed,
                                       RequestOutcome::rejected, RequestOutcome::unfinished}) {
    if (counts.of(outcome) == 0 && outcome == RequestOutcome::unfinished) continue;
    texts.push_back(std::string(to_string(outcome)) + " " + count_text(counts.of(outcome)));
  }
  return texts;
}

std::vector<std::string> throughput_texts(const BenchReport& report) {
  const RunNumbers& numbers = report.numbers;
  const WindowNumbers& window = numbers.window;
  const double rest = static_cast<double>(report.run->ended_ns - window.end_ns) / 1e9;
  std::string where = window.is_steady ? "steady " + seconds_text(window.seconds())
                                       : "whole run, " + seconds_text(window.seconds());
  if (window.is_steady && rest > 0.05) where += "; end of " + seconds_text(rest) + " left out";
  return {number_text(numbers.throughput.requests, 2) + " req/s",
          number_text(numbers.throughput.output_tokens, 0) + " output tok/s",
          number_text(numbers.throughput.input_tokens + numbers.throughput.output_tokens, 0) +
              " total tok/s",
          "(" + where + ")"};
}

std::vector<std::string> tester_texts(const BenchReport& report) {
  const TesterNumbers& tester = report.numbers.tester;
  std::string threads = counted(tester.threads, "thread");
  threads +=
      ", " + in_percent(tester.busy) + " busy (worst second " + in_percent(tester.busy_most) + ")";
  return {"loop lag p99 " + lag_text(tester.loop_lag, 99) + " ms",
          "start lag p99 " + lag_text(tester.start_lag, 99) + " ms", std::move(threads),
          number_text(tester.cpu_us_per_event, 1) + " us CPU an event",
          report.run->has_kernel_times ? "kernel receive times" : "no kernel receive times"};
}

std::vector<AddedRow> added_rows(const AddedByProxy& added) {
  const auto row = [](std::string name, const Difference& difference) {
    const double change = difference.b - difference.a;
    return AddedRow{std::move(name), (change < 0 ? "" : "+") + ms_text(change) + " ms  [" +
                                         ms_text(difference.absolute.low) + ", " +
                                         ms_text(difference.absolute.high) + "]"};
  };
  return {row("TTFT p50", added.ttft_p50), row("TTFT p99", added.ttft_p99),
          row("ITL p50", added.itl_p50), row("ITL p99", added.itl_p99)};
}

TableRow step_heads() {
  return {"load",     "ok",       "lost",     "req/s",   "tok/s",
          "TTFT p50", "TTFT p99", "TPOT p50", "ITL p99", "verdict"};
}

TableRow step_cells(const StepRow& step) {
  const RunNumbers& numbers = step.report->numbers;
  const LatencyNumbers& latency = numbers.latency;
  return {step.load,
          count_text(numbers.counts.ok()),
          count_text(numbers.counts.lost()),
          number_text(numbers.throughput.requests, 2),
          number_text(numbers.throughput.output_tokens, 0),
          tail_text(latency.ttft, 50),
          tail_text(latency.ttft, 99),
          tail_text(latency.tpot, 50),
          tail_text(latency.itl, 99),
          step.report->verdict.text};
}

}  // namespace weir
