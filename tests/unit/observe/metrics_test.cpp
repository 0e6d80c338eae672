#include "lb/observe/metrics.h"

#include <time.h>

#include <gtest/gtest.h>

#include "lb/observe/prometheus_text.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

ExchangeReport plain(std::string_view backend, int status) {
  ExchangeReport report;
  report.accepted = TimePoint{1s};
  report.leased = TimePoint{1s};
  report.ended = TimePoint{3s};
  report.pool = "p";
  report.backend = backend;
  report.status = status;
  report.attempts = 1;
  return report;
}

std::string text_of(const Metrics& metrics) {
  PrometheusText out;
  write_metrics(out, metrics);
  return out.text();
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

TEST(MetricsTest, CountsRequestsByBackendAndClassOfStatus) {
  Metrics metrics("p");
  metrics.on_exchange(plain("a", 200));
  metrics.on_exchange(plain("a", 200));
  metrics.on_exchange(plain("", 503));
  const std::string text = text_of(metrics);
  EXPECT_TRUE(
      has_line(text, R"(weir_requests_total{pool="p",backend="a",status="2xx",stream="false"} 2)"))
      << text;
  EXPECT_TRUE(has_line(
      text, R"(weir_requests_total{pool="p",backend="none",status="5xx",stream="false"} 1)"));
  EXPECT_TRUE(has_line(text, R"(weir_request_duration_seconds_bucket{pool="p",le="2"} 3)"));
  EXPECT_TRUE(has_line(text, R"(weir_request_duration_seconds_bucket{pool="p",le="1.5"} 0)"));
  EXPECT_TRUE(has_line(text, R"(weir_request_duration_seconds_sum{pool="p"} 6)"));
}

TEST(MetricsTest, TheLagsOfAllLoopsAreOneHistogram) {
  Metrics one("p");
  Metrics other("p");
  one.on_loop_lag(3ms);
  other.on_loop_lag(1500ms);
  other.on_loop_lag(-1ms);  // early is not late
  one.add(other);
  const std::string text = text_of(one);
  EXPECT_TRUE(has_line(text, R"(weir_event_loop_lag_seconds_bucket{le="0.001"} 1)")) << text;
  EXPECT_TRUE(has_line(text, R"(weir_event_loop_lag_seconds_bucket{le="0.005"} 2)"));
  EXPECT_TRUE(has_line(text, R"(weir_event_loop_lag_seconds_bucket{le="1"} 2)"));
  EXPECT_TRUE(has_line(text, "weir_event_loop_lag_seconds_count 3"));
}

TEST(MetricsTest, OverheadIsWhatLiesBetweenHavingABackendAndSendingToIt) {
  Metrics metrics("p");
  ExchangeReport report = plain("a", 200);
  report.leased = TimePoint{2s};  // the wait for it is another number
  report.connected = report.leased + 30us;
  metrics.on_exchange(report);
  metrics.on_exchange(plain("", 503));  // was never sent
  report.attempts = 2;                  // what a failed send cost is not ours
  metrics.on_exchange(report);
  Metrics sum("p");
  sum.add(metrics);
  const std::string text = text_of(sum);
  EXPECT_TRUE(has_line(text, R"(weir_proxy_overhead_seconds_bucket{pool="p",le="2.5e-05"} 0)"))
      << text;
  EXPECT_TRUE(has_line(text, R"(weir_proxy_overhead_seconds_bucket{pool="p",le="5e-05"} 1)"));
  EXPECT_TRUE(has_line(text, R"(weir_proxy_overhead_seconds_count{pool="p"} 1)"));
}

TEST(MetricsTest, TheProcessSaysSinceWhenItRuns) {
  PrometheusText out;
  write_process_metrics(out);
  const std::string name = "\nprocess_start_time_seconds ";
  const size_t at = out.text().find(name);
  ASSERT_NE(at, std::string::npos);
  const double start = std::stod(out.text().substr(at + name.size()));
  const double now = static_cast<double>(::time(nullptr));
  EXPECT_GT(start, 1e9);
  EXPECT_LE(start, now + 60);
}

TEST(MetricsTest, AStreamThatItsClientDoesNotReadIsMadeForNobody) {
  Metrics metrics("p");
  ExchangeReport report = plain("a", 200);
  report.is_stream = report.has_error = true;
  report.error.kind = ErrorKind::write_stall;
  report.events = 4;
  metrics.on_exchange(report);
  EXPECT_TRUE(has_line(text_of(metrics),
                       R"(weir_tokens_wasted_total{pool="p",backend="a",reason="client_gone"} 4)"));
}

TEST(MetricsTest, EveryStateHasItsCounter) {
  Metrics metrics("p");
  for (size_t i = 0; i < kBackendStates; ++i) {
    const auto state = static_cast<BackendStateName>(i);
    metrics.on_backend_event({"a", state, state, ""});
    EXPECT_TRUE(has_line(text_of(metrics),
                         "weir_backend_state_changes_total{pool=\"p\",backend=\"a\",to=\"" +
                             std::string(to_string(state)) + "\"} 1"));
  }
}

TEST(MetricsTest, AStreamHasAFirstTokenAndGaps) {
  Metrics metrics("p");
  ExchangeReport report = plain("a", 200);
  report.is_stream = true;
  report.first_event = TimePoint{1200ms};
  report.last_event = TimePoint{1600ms};
  report.events = 5;
  report.tokens_in = 7;
  report.tokens_out = 5;
  metrics.on_exchange(report);
  const std::string text = text_of(metrics);
  EXPECT_TRUE(has_line(
      text, R"(weir_time_to_first_token_seconds_bucket{pool="p",backend="a",le="0.25"} 1)"));
  EXPECT_TRUE(has_line(text, R"(weir_inter_token_latency_seconds_bucket{pool="p",le="0.1"} 4)"));
  EXPECT_TRUE(has_line(text, R"(weir_inter_token_latency_seconds_count{pool="p"} 4)"));
  EXPECT_TRUE(has_line(text, R"(weir_tokens_total{pool="p",backend="a",kind="prompt"} 7)"));
}

TEST(MetricsTest, FailuresRetriesAndWasteHaveTheirReasons) {
  Metrics metrics("p");
  ExchangeReport report = plain("a", 200);
  report.is_stream = true;
  report.events = 40;
  report.attempts = 2;
  report.has_error = true;
  report.error.kind = ErrorKind::client_gone;
  metrics.on_exchange(report);
  const std::string text = text_of(metrics);
  EXPECT_TRUE(has_line(
      text, R"(weir_request_failures_total{pool="p",backend="a",reason="client_gone"} 1)"));
  EXPECT_TRUE(has_line(text, R"(weir_retries_total{pool="p",backend="a"} 1)"));
  EXPECT_TRUE(
      has_line(text, R"(weir_tokens_wasted_total{pool="p",backend="a",reason="client_gone"} 40)"));
}

TEST(MetricsTest, ChangesOfStateAreCountedByTheNewState) {
  Metrics metrics("p");
  metrics.on_backend_event({"a", BackendStateName::loading, BackendStateName::ready, "probe"});
  EXPECT_TRUE(has_line(text_of(metrics),
                       R"(weir_backend_state_changes_total{pool="p",backend="a",to="ready"} 1)"));
}

TEST(MetricsTest, HealthChecksThatWeirAnswersItselfDoNotCount) {
  Metrics metrics("p");
  ExchangeReport report = plain("", 200);
  report.is_probe_path = true;
  metrics.on_exchange(report);
  EXPECT_TRUE(metrics.pools().empty());
}

TEST(MetricsTest, BackendsBeyondTheBoundAreOneOther) {
  Metrics metrics("p");
  for (size_t i = 0; i < Metrics::kMostBackends + 50; ++i)
    metrics.on_exchange(plain("b" + std::to_string(i), 200));
  const auto& backends = metrics.pools().at("p").backends;
  EXPECT_EQ(backends.size(), Metrics::kMostBackends + 1);
  EXPECT_EQ(backends.at("other").requests[2][0], 50U);
}

TEST(HistogramTest, AValueOnAnEdgeIsWithinIt) {
  constexpr std::array<double, 2> kEdges{1.0, 2.0};
  Histogram histogram(kEdges);
  for (const double value : {0.5, 1.0, 1.5, 2.0, 9.0}) histogram.observe(value);
  EXPECT_EQ(std::vector<uint64_t>(histogram.counts().begin(), histogram.counts().end()),
            (std::vector<uint64_t>{2, 2, 1}));
  Histogram other(kEdges);
  other.observe(3.0, 4);
  histogram.add(other);
  EXPECT_EQ(histogram.count(), 9U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 26.0);
}

TEST(PrometheusTextTest, LabelValuesAreEscaped) {
  PrometheusText out;
  out.family("x", "gauge", "A help.");
  out.sample({{"a", "q\"b\\n\n"}}, uint64_t{1});
  out.sample({}, 0.5);
  EXPECT_EQ(out.text(), "# HELP x A help.\n# TYPE x gauge\nx{a=\"q\\\"b\\\\n\\n\"} 1\nx 0.5\n");
}

TEST(ProcessMetricsTest, TheProcessSeesItself) {
  PrometheusText out;
  write_process_metrics(out);
  EXPECT_NE(out.text().find("process_open_fds "), std::string::npos);
  EXPECT_EQ(out.text().find("process_resident_memory_bytes 0\n"), std::string::npos);
}

}  // namespace
}  // namespace weir
