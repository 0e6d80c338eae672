#include "lb/cli/bench_flags.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "lb/cli/command_line.h"

namespace weir {
namespace {

std::vector<Problem> problems_of(const std::vector<std::string>& words, BenchOptions* options) {
  std::vector<std::string> arguments{"bench"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  const Result<CommandLine, Problem> line = parse_command_line(arguments);
  if (!line) return {line.error()};
  EXPECT_EQ(line->action, CommandLine::Action::bench);
  return apply_bench_flags(line->bench, options);
}

BenchOptions options_of(const std::vector<std::string>& words) {
  BenchOptions options;
  for (const Problem& problem : problems_of(words, &options)) ADD_FAILURE() << problem.what;
  return options;
}

TEST(BenchFlagsTest, AUrlAloneIsOneRequestAfterTheOtherForHalfAMinute) {
  const BenchOptions options = options_of({"http://a:8000/v1"});
  ASSERT_EQ(options.targets.size(), 1U);
  EXPECT_EQ(options.targets[0].url, "http://a:8000");
  EXPECT_EQ(options.load.kind, LoadRecord::Kind::closed);
  EXPECT_EQ(options.load.concurrency, 1U);
  EXPECT_EQ(options.load.duration_s, 30);
}

TEST(BenchFlagsTest, RangesOfBackendsExpand) {
  const BenchOptions options = options_of({"--direct", "http://n[1-3]:8000"});
  ASSERT_EQ(options.targets.size(), 3U);
  EXPECT_EQ(options.targets[2].name, "n3:8000");
  EXPECT_EQ(options.targets[2].role, TargetRecord::Role::direct);
}

TEST(BenchFlagsTest, StagesGiveTheLengthOfTheRun) {
  const BenchOptions options = options_of({"http://a:1", "--rate", "5/30s,5:50/1m"});
  EXPECT_EQ(options.load.kind, LoadRecord::Kind::open);
  EXPECT_EQ(options.load.duration_s, 90);
  EXPECT_EQ(options_of({"http://a:1", "--rate", "5", "--requests", "9"}).load.duration_s, 0);
}

TEST(BenchFlagsTest, ChaosTakesATimeAndAnActionEachTime) {
  const BenchOptions options =
      options_of({"http://a:1", "--duration", "2m", "--at", "30s", "drain n01-0", "--at", "1m",
                  "exec kill 1", "--admin", "a:9"});
  ASSERT_EQ(options.chaos.actions.size(), 2U);
  EXPECT_EQ(options.chaos.actions[0].text, "drain n01-0");
  EXPECT_EQ(options.chaos.actions[1].at_s, 60);
  EXPECT_TRUE(options.chaos.has_admin);
}

TEST(BenchFlagsTest, AnActionMayBeWordsOfItsOwn) {
  const BenchOptions options = options_of(
      {"http://a:1", "--at", "5s", "drain", "n01-0", "--at", "6s", "exec", "kill -9 7 && true",
       "--at", "7s undrain n01-0", "--at=8s", "drain", "n02:8000", "http://b:1", "--admin", "a:9"});
  ASSERT_EQ(options.chaos.actions.size(), 4U);
  EXPECT_EQ(options.chaos.actions[0].text, "drain n01-0");
  EXPECT_EQ(options.chaos.actions[1].command, "kill -9 7 && true");
  EXPECT_EQ(options.chaos.actions[2].text, "undrain n01-0");
  EXPECT_EQ(options.chaos.actions[3].text, "drain n02:8000");
  EXPECT_EQ(options.targets.size(), 2U);
}

TEST(BenchFlagsTest, MistakesOfAnActionNameWhatToWrite) {
  using Words = std::vector<std::string>;
  struct Mistake {
    Words words;
    const char* what;
    const char* help;
  };
  for (const Mistake& mistake : std::initializer_list<Mistake>{
           {{"--at"}, "a time and an action are missing", "write --at 30s drain n01-0"},
           {{"--at", "30s"}, "behind \"30s\" an action is missing", "write --at 30s"},
           {{"--at", "30s", "--rate", "5"}, "behind \"30s\" an action is missing", "--at 30s"},
           {{"--at", "30s,drain", "n01-0"}, "stands \",drain\"", "put a blank between"},
           {{"--at", "30s,drain n01-0"}, "stands \",drain\"", "put a blank between"},
           {{"--at", "drain", "n01-0", "30s"}, "the time comes first", "--at 30s drain"},
           {{"--at", "5s", "drain"}, "\"drain\" of what?", "--at 30s drain n01-0"},
           {{"--at", "5s", "exec", "--rate", "5"}, "\"exec\" of which command?", "exec '"},
           {{"--at", "5s", "explode", "n1"}, "unknown action \"explode\"", "there are drain,"},
           {{"--at", "5s", "drain", "n1", "n2"}, "\"n2\" stands behind", "an --at of its own"},
           {{"--at", "5s", "exec", "kill", "-9", "7"}, "is one word", "exec 'kill -9 7'"},
           {{"--at", "5s", "exec", "rm", "/tmp/x", "--rate", "5"}, "one word", "'rm /tmp/x'"},
           {{"--at", "31s", "drain", "n1"}, "at 31s the run is over", "a longer --duration"}}) {
    Words words{"http://a:1", "--admin", "a:9"};
    words.insert(words.end(), mistake.words.begin(), mistake.words.end());
    BenchOptions options;
    const std::vector<Problem> problems = problems_of(words, &options);
    ASSERT_FALSE(problems.empty()) << mistake.what;
    EXPECT_NE(problems[0].what.find(mistake.what), std::string::npos) << problems[0].what;
    EXPECT_NE(problems[0].help.find(mistake.help), std::string::npos) << problems[0].help;
  }
}

TEST(BenchFlagsTest, AllMistakesAreToldAtOnceEachWithItsFlag) {
  BenchOptions options;
  const std::vector<Problem> problems =
      problems_of({"--rate", "x", "--users", "5", "--input-tokens", "0", "--sweep", "a", "--prefix",
                   "9", "--body", "[]", "-H", "nothing"},
                  &options);
  const auto is_told = [&problems](std::string_view start) {
    return std::ranges::any_of(problems,
                               [&](const Problem& one) { return one.what.starts_with(start); });
  };
  for (const char* flag :
       {"bench:", "--rate:", "--input-tokens:", "--sweep:", "--prefix:", "--body:", "--header:"}) {
    EXPECT_TRUE(is_told(flag)) << flag;
  }
}

TEST(BenchFlagsTest, KeysAreNotRecorded) {
  const std::vector<std::string> masked =
      mask_keys({"bench", "--api-key", "s1", "--api-key=s2", "-H", "Authorization: s3",
                 "--header=X: s4", "-HX: s5", "--rate", "5"});
  for (const std::string& word : masked) {
    EXPECT_EQ(
        word.find("s1") + word.find("s2") + word.find("s3") + word.find("s4") + word.find("s5"),
        5 * std::string::npos)
        << word;
  }
  EXPECT_EQ(masked.back(), "5");
}

}  // namespace
}  // namespace weir
