#include "lb/config/config_load.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "lb/config/config_text.h"
#include "lb/config/setting_table.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

Config parsed(std::string_view text) {
  const auto config = parse_config(text, default_config(Command::serve));
  if (!config) ADD_FAILURE() << config.error().front().what;
  return config ? *config : Config{};
}

// "what | help | line:column" of every mistake.
std::vector<std::string> mistakes(std::string_view text) {
  const auto config = parse_config(text, default_config(Command::serve));
  std::vector<std::string> out;
  if (config) return out;
  for (const ConfigMistake& mistake : config.error()) {
    out.push_back(where_text("f", mistake) + " " + mistake.what + " | " + mistake.help);
  }
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::filesystem::path root() {
  return std::filesystem::path(WEIR_FIXTURES) / "../..";
}

TEST(ConfigLoadTest, TheSmallestFileNamesABackendAndKeepsEveryDefault) {
  const Config config = parsed(R"({"backends": ["http://a:8000"]})");
  ASSERT_EQ(config.pool.backends.size(), 1U);
  EXPECT_EQ(config.pool.backends[0].id, "a:8000");
  Config expected = default_config(Command::serve);
  expected.pool.backends = config.pool.backends;
  EXPECT_EQ(config, expected);
  EXPECT_TRUE(check_config(config).empty());
}

TEST(ConfigLoadTest, APoolMayHaveAName) {
  const Config config =
      parsed(R"({"pools": {"llama": {"backends": ["a:1"], "policy": "random"}}})");
  EXPECT_EQ(config.pool.name, "llama");
  EXPECT_EQ(config.pool.policy, PolicyName::random);
}

TEST(ConfigLoadTest, EveryKeyArrives) {
  const Config config = parsed(R"({
    "$schema": "x",
    "listen": ["127.0.0.1:1", {"address": ":2", "request_head": "1s", "request_body": "2s",
               "idle": "3s", "max_head": "4KiB", "client_half_close": "ignore",
               "write_stall": "4s", "trusted_proxies": ["10.0.0.0/8", "fd00::1"]}],
    "admin": {"address": "off", "token": "sesame"}, "workers": 3, "max_connections": 100,
    "via": true, "paths": "all", "policy": "two_choices",
    "max_outstanding_per_backend": "unlimited",
    "queue": {"limit": 5, "timeout": "off"},
    "timeouts": {"connect": "6s", "first_byte": "off", "between_bytes": "7s",
                 "request": "20m", "hold": "0", "tunnel": "off"},
    "retry": {"attempts": 3, "budget": 0.5},
    "health": {"path": "off", "interval": "8s", "timeout": "9s", "rise": 10, "fall": 11,
               "fast_interval": "100ms", "slow_start": "off", "stuck_after": "5m",
               "eject": {"failures": 7, "base": "1s", "most": "2m"}},
    "abort": "pass",
    "backends": [{"name": "n", "url": "http://a:1", "weight": 2,
                  "max_outstanding": 12, "api_key": "sk-1"}],
    "discover": {"file": "/x", "interval": "13s", "owners": [14]},
    "header_up": ["A: b"], "header_down": ["-Server"], "change_host_header": true,
    "replay": {"per_request": "1KiB", "total": "2KiB"},
    "log": {"level": "debug", "access": {"format": "json", "output": "stderr"}},
    "drain": {"timeout": "15s"}})");
  EXPECT_EQ(config.listen.size(), 2U);
  EXPECT_EQ(config.listen[1].max_head, 4096U);
  EXPECT_EQ(config.listen[1].client_half_close, HalfClose::ignore);
  EXPECT_EQ(config.admin.where, AdminConfig::Where::off);
  EXPECT_EQ(config.pool.max_outstanding_per_backend, 0U);
  EXPECT_EQ(config.pool.queue.limit, 5U);
  EXPECT_EQ(config.pool.queue.timeout, Duration::zero());
  EXPECT_EQ(config.pool.timeouts.between_bytes, Duration(7s));
  EXPECT_EQ(config.pool.health.path, "");
  EXPECT_EQ(config.pool.health.fall, 11U);
  EXPECT_EQ(config.listen[1].write_stall, Duration(4s));
  ASSERT_EQ(config.listen[1].trusted_proxies.size(), 2U);
  EXPECT_EQ(config.listen[1].trusted_proxies[1].to_string(), "fd00::1/128");
  EXPECT_EQ(config.admin.token, "sesame");
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.max_connections, 100U);
  EXPECT_TRUE(config.via);
  EXPECT_EQ(config.pool.timeouts.request, Duration(20min));
  EXPECT_EQ(config.pool.timeouts.hold, Duration::zero());
  EXPECT_EQ(config.pool.timeouts.tunnel, Duration::zero());
  EXPECT_EQ(config.pool.retry.budget, 0.5);
  EXPECT_EQ(config.pool.health.fast_interval, Duration(100ms));
  EXPECT_EQ(config.pool.health.slow_start, Duration::zero());
  EXPECT_EQ(config.pool.health.stuck_after, Duration(5min));
  EXPECT_EQ(config.pool.health.eject, (EjectConfig{7, 1s, 2min}));
  EXPECT_EQ(config.pool.backends[0].api_key, "sk-1");
  EXPECT_EQ(config.pool.backends[0].max_outstanding, 12U);
  EXPECT_EQ(config.pool.discover[0].owners, std::vector<uint32_t>{14});
  EXPECT_EQ(config.pool.header_down[0].kind, HeaderRule::Kind::remove);
  EXPECT_EQ(config.replay.total, 2048U);
  EXPECT_EQ(config.log.access.output, AccessLogConfig::Output::err);
  EXPECT_EQ(config.drain.timeout, Duration(15s));
}

TEST(ConfigLoadTest, TellsAllMistakesInTheOrderOfTheFile) {
  EXPECT_EQ(mistakes("{\"polcy\": 1,\n \"queue\": {\"timeout\": \"30\"},\n \"auth\": {}}"),
            (std::vector<std::string>{
                "f:1:2 unknown key \"polcy\" | did you mean \"policy\"?",
                "f:2:23 queue.timeout: \"30\" has no unit | write \"30s\" (units: ms s m h d)",
                "f:3:2 \"auth\" is not in this version | leave it out"}));
}

TEST(ConfigLoadTest, EjectionCanBeSwitchedOff) {
  const Config config = parsed(R"({"backends": ["a:1"], "health": {"eject": "off"}})");
  EXPECT_EQ(config.pool.health.eject.failures, 0U);
  EXPECT_EQ(parsed(config_text(config, {})), config);
}

TEST(ConfigLoadTest, AutoIsWhatTheMachineHas) {
  const Config config =
      parsed(R"({"backends": ["a:1"], "workers": "auto", "max_connections": "auto"})");
  EXPECT_EQ(config.workers, 0U);
  EXPECT_EQ(config.max_connections, 0U);
}

TEST(ConfigLoadTest, APoolsNameCanStandInALogLine) {
  for (const char* text :
       {R"({"pools": {"a b": {"backends": ["a:1"]}}})", R"({"pools": {"": {"backends": ["a:1"]}}})",
        R"({"pools": {"a\n": {"backends": ["a:1"]}}})"}) {
    EXPECT_EQ(mistakes(text).size(), 1U) << text;
  }
}

TEST(ConfigLoadTest, TwoPoolsAreAnErrorThatSaysSo) {
  const auto found =
      mistakes(R"({"pools": {"a": {"backends": ["a:1"]}, "b": {"backends": ["b:1"]}}})");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0],
            "f:1:11 pools: 2 pools; this version serves exactly one | run one weir for each pool");
}

// Each fixture begins with the mistakes it has, as comments.
TEST(ConfigLoadTest, BadFilesAreAnsweredWithExactlyTheseMessages) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEIR_FIXTURES)) {
    if (!entry.path().filename().string().starts_with("bad_config_")) continue;
    const std::string text = read_file(entry.path());
    std::vector<std::string> expected;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && line.starts_with("// ");)
      expected.push_back(line.substr(3));
    EXPECT_EQ(mistakes(text), expected) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 5U);
}

TEST(ConfigLoadTest, WhatIsPrintedIsReadBackToTheSame) {
  Config config = parsed(
      R"({"pools": {"p": {"backends": ["http://a:1", {"name": "x", "url": "b:2", "weight": 3}],
      "discover": [{"file": "/f"}], "queue": {"limit": "unlimited"},
      "timeouts": {"request": "1h", "hold": "0", "tunnel": "off"}, "retry": {"budget": 0.125},
      "health": {"slow_start": "off", "stuck_after": "3m", "eject": {"failures": 2}},
      "header_up": ["+A: \"b\\t\""]}},
      "admin": {"address": "127.0.0.1:9090"}, "workers": 4, "max_connections": 5000, "via": true,
      "listen": [{"address": ":1", "write_stall": "2s", "trusted_proxies": ["::/0", "10.1.2.3"]}],
      "log": {"access": {"output": "/tmp/x"}}})");
  EXPECT_EQ(parsed(config_text(config, {})), config);
  EXPECT_EQ(parsed(config_text(config, {.has_comments = true})), config);
}

TEST(ConfigLoadTest, KeysAreNeverPrinted) {
  const Config config = parsed(R"({"backends": [{"url": "a:1", "api_key": "sk-secret"}],
                                   "admin": {"token": "sk-secret-2"}})");
  EXPECT_EQ(config_text(config, {}).find("sk-secret"), std::string::npos);
}

TEST(ConfigLoadTest, AFileThatCannotBeReadIsAMistakeOfItsOwn) {
  const auto config = load_config("/no/such/file.json", Config{});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error()[0].what, "cannot read /no/such/file.json: No such file or directory");
  EXPECT_EQ(where_text("x.json", config.error()[0]), "x.json");
}

TEST(ConfigLoadTest, SurvivesEveryCutAndEveryFlippedByteOfTheExample) {
  const std::string text = example_config_text();
  for (size_t i = 0; i < text.size(); i += 3) {
    static_cast<void>(parse_config(text.substr(0, i), Config{}));
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x15);
    static_cast<void>(parse_config(flipped, Config{}));
  }
}

TEST(ConfigDocsTest, TheShippedFilesAreWhatTheProgramPrints) {
  EXPECT_EQ(read_file(root() / "config/example.json"), example_config_text());
  EXPECT_EQ(read_file(root() / "config/weir.schema.json"), config_schema_text());
  EXPECT_NE(read_file(root() / "docs/configuration.md").find(settings_markdown()),
            std::string::npos)
      << "put the output of weir check --print-docs into docs/configuration.md";
}

TEST(ConfigDocsTest, TheShippedExamplesAreValid) {
  for (const char* name : {"config/example.json", "config/minimal.json"}) {
    EXPECT_TRUE(check_config(parsed(read_file(root() / name))).empty()) << name;
  }
}

TEST(ConfigDocsTest, EverySettingIsInTheExample) {
  const std::string example = example_config_text();
  for (const Setting& setting : all_settings()) {
    ASSERT_FALSE(setting.path.empty());
    // Not defaults.
    if (setting.path == "backends[].api_key" || setting.path == "admin.token" ||
        setting.path == "$schema")
      continue;
    const std::string comment = "// " + std::string(setting.meaning);
    EXPECT_NE(example.find(comment), std::string::npos) << setting.path;
  }
}

}  // namespace
}  // namespace weir
