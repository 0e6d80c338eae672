#include "bench/report/comparison.h"

#include <gtest/gtest.h>

#include "bench/report/run_json.h"
#include "tests/unit/bench_report/made_run.h"

namespace weir {
namespace {

// A run of `count` requests in ten seconds whose times are `slowness` times as long; a wave goes
// through them, so that they are not all alike.
MadeRun made_run(double slowness, int count = 200) {
  MadeRun made;
  for (int i = 0; i < count; ++i) {
    const int64_t wave = (i * 37) % 40;
    const auto scaled = [&](int64_t ms) {
      return static_cast<int64_t>(slowness * static_cast<double>(ms));
    };
    made.add({.planned = i * 10'000 / count,
              .ttft = scaled(100 + wave),
              .gaps = {scaled(20 + wave / 10), scaled(20), scaled(22)}});
  }
  made.run.timeline.resize(12);
  for (TimelineSecond& second : made.run.timeline) {
    second.ok = static_cast<uint32_t>(count / 10);
    second.token_events = second.ok * 4;
  }
  return made;
}

RunTexts texts_of(const MadeRun& made, bool has_lines = true) {
  ReportSettings settings;
  const BenchReport report = report_on(made.run, settings);
  RunTexts texts{"a/run.json", run_json(report, settings), "a/requests.jsonl", std::nullopt};
  if (has_lines) texts.requests = request_lines(report);
  return texts;
}

RunFile file_of(const MadeRun& made, bool has_lines = true) {
  Result<RunFile, FileMistake> file = read_run_texts(texts_of(made, has_lines));
  EXPECT_TRUE(file) << file.error().where << ": " << file.error().problem.what;
  return std::move(*file);
}

ComparisonOptions quick() {
  ComparisonOptions options;
  options.resample.rounds = 100;
  return options;
}

Comparison compared(const RunFile& a, const RunFile& b) {
  Result<Comparison, Problem> comparison = compare_runs(a, b, quick());
  EXPECT_TRUE(comparison) << comparison.error().what;
  return std::move(*comparison);
}

std::string finding(const Comparison& comparison, std::string_view name) {
  for (const ComparedMeasure& measure : comparison.measures) {
    if (measure.name == name) return std::string(to_string(measure.finding));
  }
  return "not there";
}

TEST(ComparisonTest, ARunIsTheSameAsItself) {
  const RunFile file = file_of(made_run(1));
  const Comparison comparison = compared(file, file);
  EXPECT_EQ(comparison.exit_status, 0);
  EXPECT_EQ(finding(comparison, "TTFT p50"), "same");
  EXPECT_EQ(finding(comparison, "output tokens/s"), "same");
  EXPECT_EQ(finding(comparison, "lost requests"), "same");
  EXPECT_EQ(comparison.verdict.substr(0, 16), "nothing is worse");
}

TEST(ComparisonTest, SlowerIsWorseAndTheOtherWayRoundBetter) {
  const RunFile fast = file_of(made_run(1));
  const RunFile slow = file_of(made_run(1.5));
  const Comparison worse = compared(fast, slow);
  EXPECT_EQ(worse.exit_status, 3);
  EXPECT_EQ(finding(worse, "TTFT p50"), "worse");
  EXPECT_EQ(finding(worse, "E2EL p99"), "worse");
  const Comparison better = compared(slow, fast);
  EXPECT_EQ(better.exit_status, 0);
  EXPECT_EQ(finding(better, "TTFT p50"), "better");
}

TEST(ComparisonTest, AChangeBelowTheThresholdIsNone) {
  const Comparison comparison = compared(file_of(made_run(1)), file_of(made_run(1.01)));
  EXPECT_NE(finding(comparison, "TTFT p50"), "worse");
  EXPECT_EQ(comparison.exit_status, 0);
}

TEST(ComparisonTest, OfTooFewRequestsOneCannotTell) {
  const Comparison comparison = compared(file_of(made_run(1, 30)), file_of(made_run(1.5, 30)));
  EXPECT_EQ(finding(comparison, "TTFT p99"), "cannot tell");
  EXPECT_EQ(finding(comparison, "TTFT p50"), "worse");
}

TEST(ComparisonTest, LostRequestsAreWorse) {
  MadeRun lossy = made_run(1);
  for (size_t i = 0; i < 40; ++i) lossy.run.requests[i * 5].outcome = RequestOutcome::failed;
  const Comparison comparison = compared(file_of(made_run(1)), file_of(lossy));
  EXPECT_EQ(finding(comparison, "lost requests"), "worse");
  EXPECT_EQ(comparison.exit_status, 3);
}

TEST(ComparisonTest, NothingFollowsFromARunThatIsNotTrusted) {
  MadeRun late = made_run(1.5);
  for (int i = 0; i < 100; ++i) late.run.workers[0].start_lag.add(90 * kMs);
  const Comparison comparison = compared(file_of(made_run(1)), file_of(late));
  EXPECT_EQ(comparison.exit_status, 4);
  EXPECT_EQ(comparison.verdict.substr(0, 11), "NOT TRUSTED");
}

TEST(ComparisonTest, DifferentWorkloadsAreRefused) {
  MadeRun other = made_run(1);
  other.run.work = "1,024 tokens in, 128 out";
  const RunFile a = file_of(made_run(1));
  const RunFile b = file_of(other);
  const Result<Comparison, Problem> refused = compare_runs(a, b, quick());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "these runs are not comparable, their workloads differ "
            "(work: 512 tokens in, 128 out and 1,024 tokens in, 128 out)");
  ComparisonOptions anyway = quick();
  anyway.anyway = true;
  EXPECT_TRUE(compare_runs(a, b, anyway));
}

TEST(ComparisonTest, WithoutTheRequestsOnlyTheEndToEndTimesAreCompared) {
  const Comparison comparison =
      compared(file_of(made_run(1), false), file_of(made_run(1.5), false));
  EXPECT_EQ(finding(comparison, "E2EL p50"), "worse");
  EXPECT_EQ(finding(comparison, "TTFT p50"), "not there");
  EXPECT_NE(comparison_table(file_of(made_run(1)), file_of(made_run(1)), comparison, quick())
                .find("note: A: no requests.jsonl beside it"),
            std::string::npos);
}

TEST(ComparisonTest, RequestsOfAnotherRunAreNotUsed) {
  RunTexts texts = texts_of(made_run(1));
  texts.requests = texts_of(made_run(1, 30)).requests;
  const Result<RunFile, FileMistake> file = read_run_texts(texts);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->note, "a/requests.jsonl is of another run and was not used");
  EXPECT_EQ(file->series.ttft.count(), 0u);
  EXPECT_EQ(file->series.e2el.count(), 200u);
}

TEST(ComparisonTest, TheTableAndTheJsonSayTheSame) {
  const RunFile a = file_of(made_run(1));
  const RunFile b = file_of(made_run(1.5));
  const Comparison comparison = compared(a, b);
  const std::string table = comparison_table(a, b, comparison, quick());
  EXPECT_NE(table.find("TTFT p50"), std::string::npos);
  EXPECT_NE(table.find("+50 %"), std::string::npos);
  EXPECT_NE(comparison_json(a, b, comparison, quick()).find("\"exit_status\": 3"),
            std::string::npos);
}

class RunFileTest : public testing::Test {
 protected:
  std::string mistake(const std::string& what, const std::string& with) {
    RunTexts texts = texts_of(made_run(1));
    const size_t at = texts.run.find(what);
    EXPECT_NE(at, std::string::npos);
    texts.run.replace(at, what.size(), with);
    return mistake_in(texts);
  }
  static std::string mistake_in(const RunTexts& texts) {
    const Result<RunFile, FileMistake> file = read_run_texts(texts);
    return file ? "" : file.error().where + ": " + file.error().problem.what;
  }
};

TEST_F(RunFileTest, SyntaxErrorsAreNamedByLineAndColumn) {
  EXPECT_EQ(mistake("\"label\": null", "\"label\": nul").substr(0, 36),
            "a/run.json:5:14: this is no JSON: sy");
  RunTexts empty;
  empty.path = "empty.json";
  EXPECT_EQ(mistake_in(empty).substr(0, 15), "empty.json:1:1:");
}

TEST_F(RunFileTest, WrongValuesAreNamedByTheirKey) {
  EXPECT_EQ(mistake("\"trusted\": true", "\"trusted\": 1"),
            "a/run.json: /weir/tester/trusted: expected true or false, got a number");
  EXPECT_EQ(mistake("\"workload\": {", "\"workload\": 7, \"other\": {"),
            "a/run.json: /weir/workload: expected an object, got a number");
  EXPECT_EQ(mistake("\"begin_s\": 0", "\"begin\": 0"),
            "a/run.json: /weir/window/begin_s: this key is missing");
  EXPECT_EQ(mistake("\"latencies\": [", "\"latencies\": [\"x\", "), "");  // has its lines
}

TEST_F(RunFileTest, AFileOfVllmItselfIsNamedAsSuch) {
  EXPECT_EQ(mistake("\"weir\": {", "\"other\": {"),
            "a/run.json: there is no key \"weir\" in it: weir bench did not write it");
  RunTexts list;
  list.path = "list.json";
  list.run = "[1]";
  EXPECT_EQ(mistake_in(list), "list.json: expected an object, got an array");
}

TEST_F(RunFileTest, AFormatOfAnotherVersionIsRefused) {
  EXPECT_EQ(mistake("\"format\": 1", "\"format\": 2"),
            "a/run.json: /weir/format: is 2, this weir reads 1");
}

TEST_F(RunFileTest, MistakesInTheLinesAreNamedByTheirLine) {
  RunTexts texts = texts_of(made_run(1));
  const size_t second = texts.requests->find('\n') + 1;
  texts.requests->insert(second, "{\"outcome\": \"ok\", \"gaps_ms\": 3}\n");
  EXPECT_EQ(mistake_in(texts),
            "a/requests.jsonl:2: /gaps_ms: expected an array of numbers, got a number");
  texts.requests->insert(second, "{\n");
  EXPECT_EQ(mistake_in(texts).substr(0, 21), "a/requests.jsonl:2:2:");
}

TEST_F(RunFileTest, DeepAndHugeNumbersDoNoHarm) {
  RunTexts deep;
  deep.path = "deep.json";
  deep.run = std::string(100'000, '[');
  EXPECT_NE(mistake_in(deep), "");
  deep.run = "{\"weir\": " + std::string(5000, '[') + std::string(5000, ']') + "}";
  EXPECT_NE(mistake_in(deep), "");
  EXPECT_NE(mistake("\"format\": 1", "\"format\": 1e400"), "");
  EXPECT_NE(mistake("\"format\": 1", "\"format\": -1"), "");
}

TEST_F(RunFileTest, WithDetailsTheFileAloneIsEnough) {
  const MadeRun made = made_run(1);
  ReportSettings settings;
  settings.is_detailed = true;
  RunTexts texts{"a/run.json", run_json(report_on(made.run, settings), settings), "", std::nullopt};
  const Result<RunFile, FileMistake> file = read_run_texts(texts);
  ASSERT_TRUE(file);
  const RunFile lines = file_of(made);
  EXPECT_EQ(file->series.itl.count(), lines.series.itl.count());
  EXPECT_NEAR(file->series.ttft.percentile(50), lines.series.ttft.percentile(50), 1e-6);
  EXPECT_NEAR(file->series.tpot.percentile(99), lines.series.tpot.percentile(99), 1e-6);
}

}  // namespace
}  // namespace weir
