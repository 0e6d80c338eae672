#include "lb/launch/command_template.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using Words = std::vector<std::string>;

const CommandValues kValues{"http://127.0.0.1:9000/v1", "meta/llama", 512, 8};

TEST(FillCommandTest, ReplacesPlaceholdersInsideEachArgument) {
  EXPECT_EQ(
      fill_command({"run", "--base={url}", "{model}:{model}", "-c{concurrency}", "{replicas}"},
                   kValues),
      (Words{"run", "--base=http://127.0.0.1:9000/v1", "meta/llama:meta/llama", "-c512", "8"}));
}

TEST(FillCommandTest, LeavesEveryOtherByteAlone) {
  const Words odd = {"[1,2]",   "",    "%%",    "--x",         "{}",  "{Url}",
                     "{ url }", "a b", "{{x}}", "\xff$HOME`;", "{url"};
  EXPECT_EQ(fill_command(odd, kValues), odd);
}

TEST(FillCommandTest, DoesNotReplaceWithinWhatItPutIn) {
  EXPECT_EQ(fill_command({"{model}"}, {"u", "{url}", 1, 1}), Words{"{url}"});
  EXPECT_EQ(fill_command({"{{url}}"}, {"u", "m", 1, 1}), Words{"{u}"});
}

TEST(CheckCommandTest, WantsAModelForItsPlaceholder) {
  EXPECT_FALSE(check_command({"x", "--model={model}"}, ""));
  EXPECT_TRUE(check_command({"x", "--model={model}"}, "m"));
  EXPECT_TRUE(check_command({"x"}, ""));
  EXPECT_FALSE(check_command({""}, "m"));
}

TEST(CommandEnvironmentTest, PointsClientsToTheRun) {
  const CommandEnvironment out =
      command_environment({{"PATH", "/bin"}}, {"http://h:1/v1", "key", {}, {}});
  EXPECT_EQ(out.environment.at("OPENAI_BASE_URL"), "http://h:1/v1");
  EXPECT_EQ(out.environment.at("OPENAI_API_KEY"), "key");
  EXPECT_EQ(out.environment.at("PATH"), "/bin");
  EXPECT_TRUE(out.overwritten.empty());
}

TEST(CommandEnvironmentTest, SaysWhatItOverwrote) {
  const CommandEnvironment out =
      command_environment({{"OPENAI_API_KEY", "sk-mine"}}, {"u", "key", {}, {}});
  EXPECT_EQ(out.overwritten, Words{"OPENAI_API_KEY"});
}

TEST(CommandEnvironmentTest, LeavesTheUsersOwnKeyAloneWhenAskedTo) {
  const CommandEnvironment out = command_environment({{"OPENAI_API_KEY", "sk-mine"}},
                                                     {"u", "key", {}, ClientEnvironment::off});
  EXPECT_EQ(out.environment.at("OPENAI_API_KEY"), "sk-mine");
  EXPECT_FALSE(out.environment.contains("OPENAI_BASE_URL"));
}

TEST(CommandEnvironmentTest, NamesHostsThatAreNeverAskedThroughAProxy) {
  const CommandEnvironment out =
      command_environment({{"no_proxy", "corp"}}, {"u", "k", {"gpu01"}, {}});
  EXPECT_EQ(out.environment.at("NO_PROXY"), "corp,localhost,127.0.0.1,::1,gpu01");
  EXPECT_EQ(out.environment.at("no_proxy"), out.environment.at("NO_PROXY"));
}

TEST(ShellWordsTest, SplitsAsAShellDoes) {
  EXPECT_EQ(split_shell_words(R"( --a=1  '--b=x y' "c \"d\" \n" e\ f '' )").value(),
            (Words{"--a=1", "--b=x y", R"(c "d" \n)", "e f", ""}));
  EXPECT_TRUE(split_shell_words("").value().empty());
}

TEST(ShellWordsTest, RefusesAQuoteThatIsNeverClosed) {
  EXPECT_FALSE(split_shell_words("--a='x"));
  EXPECT_FALSE(split_shell_words("\""));
}

}  // namespace
}  // namespace weir
