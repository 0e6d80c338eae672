#include "lb/launch/run_report.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

class RunReportTest : public ::testing::Test {
 protected:
  static ExchangeReport answer(std::string_view backend, int64_t tokens) {
    ExchangeReport report;
    report.accepted = TimePoint{} + 1s;
    report.leased = TimePoint{} + 1s;
    report.first_event = TimePoint{} + 1100ms;
    report.ended = TimePoint{} + 2s;
    report.backend = backend;
    report.tokens_in = 5;
    report.tokens_out = tokens;
    report.status = 200;
    report.attempts = 1;
    report.is_stream = true;
    return report;
  }
  static ExchangeReport failure(std::string_view backend, ErrorKind kind) {
    ExchangeReport report = answer(backend, -1);
    report.has_error = true;
    report.error.kind = kind;
    return report;
  }
  void replica(const std::string& id, ReplicaState state, Duration at) {
    ReplicaStatus status;
    status.id = id;
    status.node = "n01";
    status.state = state;
    report.on_replica(status, begin + at);
  }
  bool says(const std::string& part) const { return report.text().find(part) != std::string::npos; }
  bool json_says(const std::string& part) const {
    return report.json().find(part) != std::string::npos;
  }

  TimePoint begin = TimePoint{} + 1h;
  RunReport report{begin};
};

TEST_F(RunReportTest, SumsRequestsAndTokensAndSharesThemOut) {
  replica("n01-0", ReplicaState::ready, 0s);
  replica("n01-1", ReplicaState::ready, 0s);
  for (int i = 0; i < 3; ++i) report.on_exchange(answer("n01-0", 10));
  report.on_exchange(answer("n01-1", 7));
  report.on_end({0, "COMMAND ended with code 0", {}}, begin + 10s);
  EXPECT_TRUE(says("COMMAND ended with code 0 after 10s")) << report.text();
  EXPECT_TRUE(says("4 (4 streamed): 4 succeeded, 0 failed")) << report.text();
  EXPECT_TRUE(says("20 in, 37 out (4 a second)")) << report.text();
  EXPECT_TRUE(says(" 75.0 %")) << report.text();
  EXPECT_TRUE(json_says("\"id\": \"n01-1\", \"node\": \"n01\", \"gpus\": \"\", \"requests\": 1"))
      << report.json();
}

TEST_F(RunReportTest, NamesFailuresByReasonAndKeepsClientsMistakesApart) {
  report.on_exchange(failure("n01-0", ErrorKind::stream_interrupted));
  report.on_exchange(failure("n01-0", ErrorKind::client_gone));
  ExchangeReport refused = answer("n01-0", -1);
  refused.status = 400;
  report.on_exchange(refused);
  ExchangeReport broken = answer("n01-0", -1);
  broken.status = 500;
  report.on_exchange(broken);
  report.on_end({7, "x", {}}, begin + 1s);
  EXPECT_TRUE(says("0 succeeded, 2 failed, 1 refused (4xx), 1 left by their client"))
      << report.text();
  EXPECT_TRUE(json_says("\"backend_answered_5xx\": 1, \"stream_interrupted\": 1")) << report.json();
  EXPECT_TRUE(json_says("\"exit_code\": 7"));
}

TEST_F(RunReportTest, CountsEventsWhereUsageIsMissingAndSaysSo) {
  ExchangeReport silent = answer("n01-0", -1);
  silent.events = 12;
  report.on_exchange(silent);
  report.on_end({0, "x", {}}, begin + 1s);
  EXPECT_TRUE(says("12 out")) << report.text();
  EXPECT_TRUE(says("1 answers named no usage")) << report.text();
}

TEST_F(RunReportTest, LeavesOutWhatWeirAnsweredItself) {
  ExchangeReport health = answer("", -1);
  health.is_probe_path = true;
  report.on_exchange(health);
  EXPECT_TRUE(json_says("\"all\": 0"));
}

TEST_F(RunReportTest, BooksTheTimeThatReplicasDidNotServe) {
  replica("n01-0", ReplicaState::starting, 0s);
  replica("n01-0", ReplicaState::ready, 60s);
  replica("n01-0", ReplicaState::waiting, 100s);
  replica("n01-0", ReplicaState::ready, 130s);
  replica("n01-1", ReplicaState::starting, 0s);
  replica("n01-1", ReplicaState::failed, 20s);
  report.on_end({0, "x", {}}, begin + 200s);
  replica("n01-0", ReplicaState::stopped, 900s);
  EXPECT_TRUE(says("1m20s loading, 3m30s down, of 6m40s of all replicas (72 %)")) << report.text();
}

TEST_F(RunReportTest, EscapesWhatItPutsIntoJson) {
  report.on_end({0, "killed \"x\"\n\xff caf\xc3\xa9", {}}, begin + 1s);
  EXPECT_TRUE(json_says("\"how\": \"killed \\\"x\\\"\\n\xef\xbf\xbd caf\xc3\xa9\""))
      << report.json();
}

TEST(SpreadTest, FindsQuantilesWithinTenPercent) {
  Spread spread;
  for (int i = 1; i <= 1000; ++i) spread.add(i * 1ms);
  EXPECT_NEAR(spread.quantile_ms(0.5), 500.0, 50.0);
  EXPECT_NEAR(spread.quantile_ms(0.99), 990.0, 99.0);
  EXPECT_EQ(Spread().quantile_ms(0.5), 0.0);
}

TEST(SpreadTest, TakesDurationsOfAnySize) {
  Spread spread;
  spread.add(-5s);
  spread.add(Duration::zero());
  spread.add(1000h);
  EXPECT_EQ(spread.count(), 3U);
}

}  // namespace
}  // namespace weir
