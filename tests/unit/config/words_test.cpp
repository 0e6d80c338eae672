#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "lb/config/header_rule.h"
#include "lb/config/secret_text.h"
#include "lb/config/setting_text.h"
#include "lb/config/suggest.h"

namespace weir {
namespace {

TEST(SuggestTest, FindsASlipOrTwo) {
  constexpr std::array<std::string_view, 4> kKnown{"policy", "listen", "backends", "max_head"};
  EXPECT_EQ(suggest("polcy", kKnown), "policy");
  EXPECT_EQ(suggest("lsiten", kKnown), "listen");
  EXPECT_EQ(suggest("Backend", kKnown), "backends");
  EXPECT_EQ(suggest("max-head", kKnown), "max_head");
  EXPECT_EQ(suggest("something", kKnown), "");
  EXPECT_EQ(suggest("", kKnown), "");
  EXPECT_EQ(suggest(std::string(100000, 'x'), kKnown), "");
}

TEST(HeaderRuleTest, SetsAddsAndRemoves) {
  EXPECT_EQ(*parse_header_rule("X-A: b c "), (HeaderRule{HeaderRule::Kind::set, "X-A", "b c"}));
  EXPECT_EQ(*parse_header_rule("+X-A:b"), (HeaderRule{HeaderRule::Kind::add, "X-A", "b"}));
  EXPECT_EQ(*parse_header_rule("-X-A"), (HeaderRule{HeaderRule::Kind::remove, "X-A", ""}));
  EXPECT_EQ(*parse_header_rule("X-Empty:"), (HeaderRule{HeaderRule::Kind::set, "X-Empty", ""}));
}

TEST(HeaderRuleTest, RefusesWhatWouldBreakAMessage) {
  for (const std::string text :
       {"", "X", ":b", "X Y: b", "X: a\r\nY: b", "X: \x01", "-X: y", "Content-Length: 3",
        "+transfer-encoding: chunked", "-Connection", "\xc3\xa4: b"}) {
    EXPECT_FALSE(parse_header_rule(text)) << text;
  }
}

TEST(SettingTextTest, OffAndUnlimitedAreWords) {
  EXPECT_EQ(*parse_time_limit("off"), Duration::zero());
  EXPECT_EQ(parse_time_limit("0").error().help, "write \"off\" for no limit");
  EXPECT_EQ(*parse_queue_limit("unlimited"), kUnlimited);
  EXPECT_EQ(*parse_max_outstanding("unlimited"), 0U);
  EXPECT_EQ(*parse_health_path("off"), "");
  EXPECT_FALSE(parse_health_path("health"));
  EXPECT_FALSE(parse_health_path("/a b"));
  EXPECT_EQ(parse_policy("least-outstanding").error().help, "did you mean \"least_outstanding\"?");
}

TEST(SettingTextTest, TheAdminSideIsASocketAnAddressOrOff) {
  EXPECT_EQ(parse_admin("socket")->where, AdminConfig::Where::own_socket);
  EXPECT_EQ(parse_admin("off")->where, AdminConfig::Where::off);
  EXPECT_EQ(parse_admin("127.0.0.1:9090")->address.port, 9090);
  EXPECT_TRUE(parse_admin("unix:/run/x")->address.is_unix);
  EXPECT_FALSE(parse_admin("9090"));
}

TEST(SecretTest, ComesFromWhereItIsNamed) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("weir_secret_" + std::to_string(::getpid()));
  std::ofstream(file) << "sk-file\n";
  ::setenv("WEIR_TEST_SECRET", "sk-env", 1);
  EXPECT_EQ(*read_secret("sk-plain"), "sk-plain");
  EXPECT_EQ(*read_secret("${env:WEIR_TEST_SECRET}"), "sk-env");
  EXPECT_EQ(*read_secret("${file:" + file.string() + "}"), "sk-file");
  std::filesystem::remove(file);
}

TEST(SecretTest, WhatIsPrintedInPlaceOfASecretIsNone) {
  EXPECT_EQ(read_secret("***").error().what,
            "\"***\" stands where weir check --print left a secret out");
}

TEST(SecretTest, AProblemNeverShowsTheSecret) {
  ::setenv("WEIR_TEST_SECRET", "two words", 1);
  EXPECT_EQ(read_secret("${env:WEIR_TEST_SECRET}").error().what,
            "the secret is empty, too long or not visible ASCII");
  for (const char* text : {"", "${env:WEIR_TEST_NONE}", "${file:/no/such}", "${what:x}",
                           "${env:", "${credential:../x}"}) {
    EXPECT_FALSE(read_secret(text)) << text;
  }
}

}  // namespace
}  // namespace weir
