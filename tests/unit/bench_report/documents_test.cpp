#include "bench/report/documents.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/report/page_data.h"
#include "bench/report/run_json.h"
#include "tests/unit/bench_report/made_run.h"

namespace weir {
namespace {

using Json = nlohmann::json;

class DocumentsTest : public testing::Test {
 protected:
  DocumentsTest() {
    made.run.backends = {"n01-0", "n01-1"};
    made.add_many(50, 100, {.backend = 0});
    made.add_many(50, 100, {.planned = 50, .backend = 1});
    made.run.timeline.resize(6);
  }

  BenchReport report() { return report_on(made.run, settings); }
  Json run() { return Json::parse(run_json(report(), settings)); }
  std::string html() {
    const BenchReport told = report();
    return html_document({told, steps, "", ""}, settings);
  }

  MadeRun made;
  ReportSettings settings;
  std::vector<StepRow> steps;
};

// As the real one writes them (0.32.0, without options): tests/load/vllm_reads_ours.py holds this
// list against a file of it.
constexpr std::string_view kVllmKeys[] = {"date",
                                          "endpoint_type",
                                          "backend",
                                          "label",
                                          "model_id",
                                          "tokenizer_id",
                                          "num_prompts",
                                          "request_rate",
                                          "burstiness",
                                          "max_concurrency",
                                          "duration",
                                          "completed",
                                          "failed",
                                          "total_input_tokens",
                                          "total_output_tokens",
                                          "request_throughput",
                                          "request_goodput",
                                          "output_throughput",
                                          "total_token_throughput",
                                          "max_output_tokens_per_s",
                                          "max_concurrent_requests",
                                          "rtfx",
                                          "latencies",
                                          "queue_times",
                                          "mean_ttft_ms",
                                          "median_ttft_ms",
                                          "std_ttft_ms",
                                          "p99_ttft_ms",
                                          "mean_tpot_ms",
                                          "median_tpot_ms",
                                          "std_tpot_ms",
                                          "p99_tpot_ms",
                                          "mean_itl_ms",
                                          "median_itl_ms",
                                          "std_itl_ms",
                                          "p99_itl_ms",
                                          "p99_e2el_ms",
                                          "mean_client_queue_time_ms",
                                          "p99_e2el_including_client_queue_ms"};

TEST_F(DocumentsTest, TheFileHasEveryKeyOfVllm) {
  const Json json = run();
  for (const std::string_view key : kVllmKeys) EXPECT_TRUE(json.contains(std::string(key))) << key;
}

TEST_F(DocumentsTest, UnitsAreVllms) {
  made.run.requests.clear();
  made.add_many(20, 100, {.sent = 10, .ttft = 110});  // sent 10 ms late
  const Json json = run();
  EXPECT_NEAR(json["median_ttft_ms"].get<double>(), 100, 1e-9);
  EXPECT_NEAR(json["latencies"][0].get<double>(), 0.160, 1e-9);
  EXPECT_NEAR(json["queue_times"][0].get<double>(), 0.010, 1e-9);
  EXPECT_NEAR(json["median_e2el_including_client_queue_ms"].get<double>(), 170, 1e-9);
  EXPECT_NEAR(json["weir"]["latency_ms"]["ttft"]["p50"].get<double>(), 110, 1e-9);
  EXPECT_EQ(json["completed"], 20);
  EXPECT_EQ(json["total_output_tokens"], 80);
  EXPECT_NEAR(json["output_throughput"].get<double>(), 80 / 2.07, 1e-6);
  EXPECT_TRUE(json["request_goodput"].is_null());
}

TEST_F(DocumentsTest, ArraysOfRequestsComeWithDetails) {
  EXPECT_FALSE(run().contains("ttfts"));
  settings.is_detailed = true;
  made.add({.outcome = RequestOutcome::failed, .fault = RequestFault::http_5xx});
  const Json json = run();
  for (const char* key : {"input_lens", "output_lens", "ttfts", "itls", "start_times",
                          "generated_texts", "errors", "latencies", "queue_times"}) {
    EXPECT_EQ(json[key].size(), 101u) << key;
  }
  EXPECT_EQ(json["errors"][0], "");
  EXPECT_EQ(json["errors"][100], "http_5xx");
  EXPECT_EQ(json["ttfts"][100], 0);
  EXPECT_NEAR(json["itls"][0][0].get<double>(), 0.02, 1e-9);
}

TEST_F(DocumentsTest, EndlessRatesAreWordsAsInVllm) {
  made.run.load.kind = LoadRecord::Kind::closed;
  made.run.load.concurrency = 8;
  made.run.load.burstiness = std::numeric_limits<double>::infinity();
  const Json json = run();
  EXPECT_EQ(json["request_rate"], "inf");
  EXPECT_EQ(json["burstiness"], "inf");
  EXPECT_EQ(json["max_concurrency"], 8);
}

TEST_F(DocumentsTest, MetadataStandsAtTheTopAndLabelIsVllms) {
  settings.metadata = {{"gpu", "h100"}, {"label", "mine"}};
  const Json json = run();
  EXPECT_EQ(json["gpu"], "h100");
  EXPECT_EQ(json["label"], "mine");
  EXPECT_TRUE(is_taken_key("duration"));
  EXPECT_TRUE(is_taken_key("p99_ttft_ms"));
  EXPECT_FALSE(is_taken_key("gpu"));
}

TEST_F(DocumentsTest, EachRequestIsALineWithEveryGap) {
  made.add({.is_warm_up = true});
  const std::string lines = request_lines(report());
  EXPECT_EQ(std::ranges::count(lines, '\n'), 101);
  const Json first = Json::parse(lines.substr(0, lines.find('\n')));
  EXPECT_EQ(first["outcome"], "ok");
  EXPECT_EQ(first["backend"], "n01-0");
  EXPECT_EQ(first["gaps_ms"].size(), 3u);
  EXPECT_NEAR(first["ttft_ms"].get<double>(), 100, 1e-9);
}

TEST_F(DocumentsTest, ThePageLoadsNothing) {
  const std::string page = html();
  for (const char* word : {"http-equiv=\"Content-Security-Policy\"", "default-src 'none'"}) {
    EXPECT_NE(page.find(word), std::string::npos) << word;
  }
  for (const char* word : {"src=", "href=", "@import", "url(", "fetch(", "XMLHttp", "import("}) {
    EXPECT_EQ(page.find(word), std::string::npos) << word;
  }
}

TEST_F(DocumentsTest, TextsFromOutsideCannotBreakOutOfAnyDocument) {
  const std::string hostile = "</script><b onload=\"x\">&'`|";
  made.run.model = made.run.backends[0] = made.run.work = made.run.targets[0].url = hostile;
  made.run.chaos.push_back({hostile, 0, 0, 0, true, hostile});
  made.add({.outcome = RequestOutcome::failed}).error = made.text(hostile);
  settings.metadata = {{"site", hostile}};
  const std::string page = html();
  EXPECT_EQ(page.find("<b onload"), std::string::npos);
  EXPECT_NE(page.find("&lt;b onload=&quot;x&quot;&gt;"), std::string::npos);
  const BenchReport told = report();
  const std::string markdown = markdown_document({told, steps, "", ""}, settings);
  for (size_t at = markdown.find('<'); at != std::string::npos; at = markdown.find('<', at + 1)) {
    EXPECT_EQ(markdown[at - 1], '\\') << markdown.substr(at, 20);
  }
  EXPECT_EQ(junit_document({told, steps, "", ""}).find("<b "), std::string::npos);
  EXPECT_EQ(run()["model_id"], hostile);
}

TEST_F(DocumentsTest, SecretsAreInNoDocument) {
  settings.secrets = {"hunter2hunter2"};
  const std::string said = "key hunter2hunter2, Bearer abcdefgh, sk-abcdefghijk";
  made.run.arguments = {"weir", "bench", "--api-key", "topsecret", "-H", "X: " + said};
  made.run.targets[0].url = "http://me:passw0rd@host:80";
  made.run.chaos.push_back({"exec curl -H '" + said + "'", 0, 0, 0, true, said});
  made.add({.outcome = RequestOutcome::failed}).error = made.text(said);
  settings.is_detailed = true;
  const BenchReport told = report();
  const ReportDocument document{told, steps, "", ""};
  const std::string all = run_json(told, settings) + request_lines(told) +
                          html_document(document, settings) +
                          markdown_document(document, settings) + junit_document(document) +
                          result_table(told, settings, false);
  for (const char* secret : {"hunter2", "topsecret", "passw0rd", "abcdefgh"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

TEST_F(DocumentsTest, ThePlotsAreBoundedHoweverLongTheRun) {
  made.run.timeline.resize(86'400);
  made.add_many(4000, 1, {.gaps = {}});
  const BenchReport told = report();
  const Json data = Json::parse(page_data({told, steps, "", ""}));
  EXPECT_LE(data["timeline"]["tokens"].size(), 600u);
  EXPECT_LE(data["dots"].size(), 1500u);
  EXPECT_LE(data["measures"][0]["curve"].size(), 130u);
}

TEST_F(DocumentsTest, LimitsStandInThePlotOfTheirMeasure) {
  settings.verdict.slo = *parse_conditions({"ttft_p99<500ms,errors<1"}, "--slo");
  const BenchReport told = report();
  const Json data = Json::parse(page_data({told, steps, "", ""}));
  EXPECT_EQ(data["measures"][0]["limits"][0]["ms"], 500);
  EXPECT_EQ(data["measures"][1]["limits"].size(), 0u);
}

TEST_F(DocumentsTest, JunitNamesWhatFailed) {
  settings.verdict.slo = *parse_conditions({"ttft_p99<50ms,itl_p99<50ms"}, "--slo");
  made.add({.outcome = RequestOutcome::rejected});
  const BenchReport told = report();
  const std::string xml = junit_document({told, steps, "", ""});
  EXPECT_NE(xml.find("tests=\"4\" failures=\"2\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("name=\"slo ttft_p99&lt;50ms\">\n      <failure"), std::string::npos) << xml;
}

TEST_F(DocumentsTest, TheTableTellsAllOfIt) {
  settings.verdict.slo = *parse_conditions({"ttft_p99<50ms"}, "--slo");
  settings.goodput = *parse_goodput({"ttft:500"});
  settings.goodput_texts = {"ttft:500"};
  const std::string table = result_table(report(), settings, false);
  for (const char* part : {"requests    ok 100", "req/s", " p50 ", " p99 ", "TTFT", "start delay",
                           "n01-1", "imbalance   1.00", "tester      trusted", "BROKEN", "goodput",
                           "verdict     trusted, 1 of 1 SLO broken"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
  }
  EXPECT_EQ(table.find('\033'), std::string::npos);
  EXPECT_NE(result_table(report(), settings, true).find("\033[1;31m"), std::string::npos);
}

TEST_F(DocumentsTest, EventsAreChargedWithWhatTheyCost) {
  made.run.steady_end_ns = 5000 * kMs;
  for (TimelineSecond& second : made.run.timeline) second.token_events = 100;
  made.run.timeline[3].token_events = 20;
  made.run.chaos.push_back({"kill b", 3000 * kMs, 3000 * kMs, 3001 * kMs, true, "exit 0"});
  made.add({.planned = 2990, .gaps = {20, 400}, .outcome = RequestOutcome::truncated});
  const ChaosCost cost = report().chaos.at(0);
  EXPECT_EQ(cost.ended.lost(), 1u);
  EXPECT_DOUBLE_EQ(cost.longest_gap_ms, 400);
  EXPECT_DOUBLE_EQ(cost.events_before, 100);
  EXPECT_DOUBLE_EQ(cost.events_least, 20);
}

}  // namespace
}  // namespace weir
