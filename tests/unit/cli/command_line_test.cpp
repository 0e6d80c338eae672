#include "lb/cli/command_line.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using Words = std::vector<std::string>;
using Action = CommandLine::Action;

CommandLine parsed(const Words& words) {
  const auto line = parse_command_line(words);
  if (!line) ADD_FAILURE() << line.error().what;
  return line ? *line : CommandLine{};
}

std::string problem(const Words& words) {
  const auto line = parse_command_line(words);
  return line ? "" : line.error().what + " | " + line.error().help;
}

TEST(CommandLineTest, UrlsAloneMeanServe) {
  const CommandLine line = parsed({"http://a:8000", "b:1"});
  EXPECT_EQ(line.action, Action::serve);
  EXPECT_EQ(line.command, Command::urls);
  EXPECT_EQ(line.serve.backends, (Words{"http://a:8000", "b:1"}));
  EXPECT_EQ(parsed({"--listen", ":1", "a:1"}).serve.listen, Words{":1"});
}

TEST(CommandLineTest, AFileMakesAService) {
  const CommandLine line = parsed({"serve", "-c", "x.json", "--policy=random"});
  EXPECT_EQ(line.command, Command::serve);
  EXPECT_EQ(line.config_file, "x.json");
  EXPECT_EQ(line.serve.policy, "random");
}

TEST(CommandLineTest, TheAccessLogTakesAValueOnlyBehindAnEqualsSign) {
  EXPECT_EQ(parsed({"serve", "a:1"}).serve.access_log, std::nullopt);
  EXPECT_EQ(parsed({"serve", "--access-log", "a:1"}).serve.access_log, "stdout");
  EXPECT_EQ(parsed({"serve", "--access-log", "a:1"}).serve.backends, Words{"a:1"});
  EXPECT_EQ(parsed({"serve", "--access-log=x.log", "a:1"}).serve.access_log, "x.log");
  EXPECT_EQ(parsed({"serve", "--access-log=off", "a:1"}).serve.access_log, "off");
}

TEST(CommandLineTest, WhatIsBehindTheFirstDoubleDashIsPassedOnByteByByte) {
  const Words command{"prog", "[1,2]", "", "%%", "--x", "--", "{url}", "-c", "a=b"};
  Words words{"launch", "--serve", "vllm serve --port {port}", "--"};
  words.insert(words.end(), command.begin(), command.end());
  const CommandLine line = parsed(words);
  EXPECT_EQ(line.rest, command);
  EXPECT_EQ(line.launch.serve, "vllm serve --port {port}");
}

TEST(CommandLineTest, AServeLineMayLookLikeAnything) {
  for (const std::string text : {"[1,2]", "--x", "{\"a\": [1]}", "a,b", "x=[1]", "-"}) {
    EXPECT_EQ(parsed({"launch", "--serve", text}).launch.serve, text);
    EXPECT_EQ(parsed({"launch", "--serve=" + text}).launch.serve, text);
  }
}

TEST(CommandLineTest, OnlyLaunchRunsACommand) {
  EXPECT_EQ(problem({"serve", "a:1", "--", "x"}),
            "weir serve takes no \"--\" | only weir launch runs a COMMAND");
}

TEST(CommandLineTest, TheFlagsOfCaddyAreTaken) {
  const CommandLine line =
      parsed({"reverse-proxy", "--access-log", "--from", "http://node7:8123", "--to",
              "http://n1:8000", "-t", "http://n2:8000", "-c", "--insecure", "-r", "-i", "-v", "-H",
              "X-A: b", "-H", "-X-B", "--header-down", "+X-C: d"});
  EXPECT_EQ(line.command, Command::reverse_proxy);
  EXPECT_EQ(line.serve.listen, Words{":8123"});
  EXPECT_EQ(line.serve.backends, (Words{"http://n1:8000", "http://n2:8000"}));
  EXPECT_EQ(line.serve.header_up, (Words{"X-A: b", "-X-B"}));
  EXPECT_EQ(line.serve.access_log, "stdout");
  EXPECT_TRUE(line.serve.change_host_header);
  EXPECT_TRUE(line.serve.debug);
  EXPECT_EQ(line.notes.size(), 3U);
}

TEST(CommandLineTest, CaddysPlaceholderForTheBackendsNameIsUnderstood) {
  const CommandLine line =
      parsed({"reverse-proxy", "--to", "a:1", "--header-up", "Host: {x.hostport}"});
  EXPECT_TRUE(line.serve.change_host_header);
  EXPECT_TRUE(line.serve.header_up.empty());
}

TEST(CommandLineTest, WrongWordsAreAnsweredWithTheRightOnes) {
  EXPECT_EQ(problem({"sevre"}), "unknown command \"sevre\" | did you mean \"weir serve\"?");
  EXPECT_EQ(problem({"serve", "--polcy", "x"}),
            "weir serve: unknown option --polcy | did you mean --policy?");
  EXPECT_EQ(problem({"serve", "--tls-cert=x"}),
            "weir serve: unknown option --tls-cert | weir serve --help lists the options");
  EXPECT_EQ(problem({"top"}),
            "\"weir top\" is not in this version | weir --help lists the commands");
  EXPECT_EQ(problem({"check", "a", "b"}),
            "weir check: unexpected argument \"b\" | weir check --help lists the options");
  EXPECT_EQ(problem({"serve", "--policy"}),
            "weir serve: --policy needs a value | weir serve --help lists the options");
}

TEST(CommandLineTest, HelpAndVersionAreResults) {
  for (const Words& words : {Words{}, Words{"--help"}, Words{"help"}, Words{"help", "serve"},
                             Words{"serve", "-h"}, Words{"version"}, Words{"--version"}}) {
    const CommandLine line = parsed(words);
    EXPECT_EQ(line.action, Action::print);
    EXPECT_FALSE(line.text.empty());
  }
  EXPECT_NE(parsed({"launch", "--help"}).text.find("--gpus-per-replica"), std::string::npos);
}

TEST(CommandLineTest, StatusWaitsForOneUnlessTold) {
  EXPECT_EQ(parsed({"status"}).status.wait_ready, 0U);
  EXPECT_EQ(parsed({"status", "--wait-ready"}).status.wait_ready, 1U);
  EXPECT_EQ(parsed({"status", "--wait-ready", "3", "--json"}).status.wait_ready, 3U);
  EXPECT_EQ(
      problem({"status", "--wait-ready", "x"}),
      "--wait-ready: expected a whole number from 1 to 1000000, got \"x\" | write --wait-ready N");
}

TEST(CommandLineTest, TheReplicaWrapperGetsItsArgumentsUntouched) {
  const CommandLine line = parsed({"__replica", "--", "--x", "-h"});
  EXPECT_EQ(line.action, Action::replica);
  EXPECT_EQ(line.rest, (Words{"--", "--x", "-h"}));
}

Address from(std::string_view text, size_t notes = 0) {
  std::vector<std::string> said;
  const auto address = parse_from(text, &said);
  EXPECT_TRUE(address) << text;
  EXPECT_EQ(said.size(), notes) << text;
  return address ? *address : Address{};
}

TEST(FromTest, ANameMeansThatPortOnAllAddresses) {
  EXPECT_EQ(from("http://node7:8123"), (Address{"", 8123, false}));
  EXPECT_EQ(from("http://node7"), (Address{"", 80, false}));
  EXPECT_EQ(from(":8123"), (Address{"", 8123, false}));
  EXPECT_EQ(from("node7:8123", 1), (Address{"", 8123, false}));
}

TEST(FromTest, AnAddressAndLocalhostMeanOnlyThatOne) {
  EXPECT_EQ(from("http://127.0.0.1:8123/"), (Address{"127.0.0.1", 8123, false}));
  EXPECT_EQ(from("http://[::1]:8123"), (Address{"::1", 8123, false}));
  EXPECT_EQ(from("http://localhost:8123"), (Address{"127.0.0.1", 8123, false}));
}

TEST(FromTest, HttpsIsNotServed) {
  std::vector<std::string> notes;
  EXPECT_FALSE(parse_from("https://node7", &notes));
  EXPECT_FALSE(parse_from("localhost", &notes));  // Caddy would serve HTTPS on port 443
}

TEST(CommandLineTest, DrainAndUndrainNameABackend) {
  const CommandLine line =
      parsed({"drain", "n01-0", "--wait", "--timeout", "5m", "--instance", "42"});
  EXPECT_EQ(line.action, Action::drain);
  EXPECT_TRUE(line.drain.is_drain);
  EXPECT_EQ(line.drain.backend, "n01-0");
  EXPECT_TRUE(line.drain.waits);
  EXPECT_EQ(line.drain.timeout, Duration(std::chrono::minutes(5)));
  EXPECT_EQ(line.drain.instance, "42");
  EXPECT_FALSE(parsed({"undrain", "host:8000"}).drain.is_drain);
  EXPECT_EQ(problem({"drain"}),
            "weir drain: no backend was named | write weir drain BACKEND; weir status lists them");
  EXPECT_EQ(problem({"undrain", "a", "b"}),
            "weir undrain: unexpected argument \"b\" | weir undrain --help lists the options");
  EXPECT_EQ(problem({"drain", "a", "--timeout", "5m"}), "--timeout is of --wait | add --wait");
  EXPECT_EQ(problem({"drain", "a", "--wait", "--timeout", "5"}),
            "--timeout: \"5\" has no unit | write \"5s\" (units: ms s m h d)");
}

}  // namespace
}  // namespace weir
