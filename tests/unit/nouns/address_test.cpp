#include "weir/address.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string parsed(std::string_view text, uint16_t default_port = 0) {
  const Result<Address, Problem> address = parse_address(text, default_port);
  return address ? to_string(*address) : address.error().what;
}

std::string url(std::string_view text) {
  const Result<Address, Problem> address = parse_backend_url(text);
  return address ? to_string(*address) : address.error().what;
}

TEST(AddressTest, WhatIsWrittenIsWhatIsPrinted) {
  for (const char* text : {"host:8000", "10.0.0.1:1", "[::1]:8000", "[fe80::1%eth0]:65535", ":80",
                           "unix:/run/weir.sock", "node-1.cluster_a:443"}) {
    EXPECT_EQ(parsed(text), text);
  }
}

TEST(AddressTest, AMissingPortIsTheDefaultOne) {
  EXPECT_EQ(parsed("host", 8080), "host:8080");
  EXPECT_EQ(parsed("[::1]", 8080), "[::1]:8080");
  EXPECT_EQ(parsed("host:1", 8080), "host:1");
}

TEST(AddressTest, AnEmptyHostMeansAllAddresses) {
  const Result<Address, Problem> address = parse_address(":8000");
  ASSERT_TRUE(address);
  EXPECT_EQ(address.value().host, "");
  EXPECT_EQ(address.value().port, 8000);
}

TEST(AddressTest, PortZeroIsForThoseWhoListenOnly) {
  const auto listens = [](std::string_view text) {
    const Result<Address, Problem> address = parse_listen_address(text);
    return address ? to_string(*address) : address.error().what;
  };
  for (const char* text : {"host:0", ":0", "[::1]:0", "host:8000", "unix:/run/weir:0"}) {
    EXPECT_EQ(listens(text), text);
  }
  EXPECT_EQ(listens("::0"), "bad address \"::0\": an IPv6 address needs brackets");
  EXPECT_EQ(listens("ho st:0"), "bad address \"ho st:0\": this is not a host name");
  EXPECT_EQ(listens("host"), "bad address \"host\": the port is missing");
  EXPECT_EQ(parsed("host:0"), "bad address \"host:0\": the port must be 1 to 65535");
}

TEST(AddressTest, SaysWhatIsWrongWithABadOne) {
  const std::pair<std::string, std::string> cases[] = {
      {"host", "the port is missing"},
      {"", "the port is missing"},
      {"host:", "the port must be 1 to 65535"},
      {"host:0", "the port must be 1 to 65535"},
      {"host:65536", "the port must be 1 to 65535"},
      {"host:99999999999", "the port must be 1 to 65535"},
      {"host:-1", "the port must be 1 to 65535"},
      {"host:80x", "the port must be 1 to 65535"},
      {"host: 80", "the port must be 1 to 65535"},
      {"::1:80", "an IPv6 address needs brackets"},
      {"[::1", "\"[\" without \"]\""},
      {"[::1]8000", "unexpected text behind \"]\""},
      {"[host]:80", "no IPv6 address between the brackets"},
      {"[]:80", "no IPv6 address between the brackets"},
      {"ho st:80", "this is not a host name"},
      {"host/x:80", "this is not a host name"},
      {"h\xc3\xb6st:80", "this is not a host name"},
      {"unix:", "a unix socket needs an absolute path"},
      {"unix:weir.sock", "a unix socket needs an absolute path"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_EQ(parsed(text), "bad address \"" + text + "\": " + why);
    EXPECT_EQ(parse_address(text).error().help, "write host:port, [::1]:port or unix:/path");
  }
}

TEST(AddressTest, AnEmptyTextIsNoAddressEvenWithADefaultPort) {
  EXPECT_EQ(parsed("", 80), "bad address \"\": it is empty");
}

TEST(AddressTest, TheLengthOfNamesAndPathsIsBounded) {
  EXPECT_FALSE(parse_address(std::string(254, 'a') + ":80"));
  EXPECT_TRUE(parse_address(std::string(253, 'a') + ":80"));
  EXPECT_TRUE(parse_address("unix:/" + std::string(106, 'a')));
  EXPECT_FALSE(parse_address("unix:/" + std::string(107, 'a')));
}

TEST(BackendUrlTest, TakesWhatPeoplePaste) {
  EXPECT_EQ(url("http://host:8000"), "host:8000");
  EXPECT_EQ(url("http://host:8000/"), "host:8000");
  EXPECT_EQ(url("http://host:8000/v1"), "host:8000");
  EXPECT_EQ(url("http://host:8000/v1/"), "host:8000");
  EXPECT_EQ(url("host:8000/v1"), "host:8000");
  EXPECT_EQ(url("http://host"), "host:80");
  EXPECT_EQ(url("http://[::1]:8000/"), "[::1]:8000");
  EXPECT_EQ(url("unix:/run/x.sock"), "unix:/run/x.sock");
}

TEST(BackendUrlTest, SaysWhyItDoesNotTakeTheOthers) {
  EXPECT_EQ(url("https://host"), "backend https://host: https backends are not supported");
  EXPECT_EQ(url("ftp://host"), "backend ftp://host: unknown scheme");
  EXPECT_EQ(url("http://host:1/models"),
            "backend http://host:1/models: a path is not supported here");
  EXPECT_EQ(url("http://host:1?x=1"), "backend http://host:1?x=1: a path is not supported here");
  EXPECT_EQ(url("http://:8000"), "backend http://:8000: the host is missing");
  EXPECT_EQ(url("host"), "bad address \"host\": the port is missing");
  EXPECT_EQ(url("http://"), "bad address \"\": it is empty");
}

TEST(BackendUrlTest, APasswordInAUrlIsNotRepeatedInTheError) {
  EXPECT_EQ(url("http://me:secret@host:1").find("secret"), std::string::npos);
  EXPECT_EQ(url("https://me:secret@host:1").find("secret"), std::string::npos);
  EXPECT_FALSE(parse_backend_url("me:secret@host:1"));
  EXPECT_EQ(url("me:secret@host:1").find("secret"), std::string::npos);
}

}  // namespace
}  // namespace weir
