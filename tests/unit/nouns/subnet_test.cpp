#include "weir/subnet.h"

#include <arpa/inet.h>

#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace weir {
namespace {

Subnet subnet(std::string_view text) {
  const Result<Subnet, Problem> parsed = Subnet::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Subnet();
}

TEST(Subnet, HoldsTheAddressesOfItsRange) {
  EXPECT_TRUE(subnet("10.0.0.0/8").contains("10.255.0.1"));
  EXPECT_FALSE(subnet("10.0.0.0/8").contains("11.0.0.1"));
  EXPECT_TRUE(subnet("10.1.16.0/20").contains("10.1.31.255"));
  EXPECT_FALSE(subnet("10.1.16.0/20").contains("10.1.32.0"));
  EXPECT_TRUE(subnet("fd00::/8").contains("fdff::1"));
  EXPECT_FALSE(subnet("fd00::/8").contains("fe00::1"));
}

TEST(Subnet, OfOneAddressNeedsNoSlash) {
  EXPECT_TRUE(subnet("127.0.0.1").contains("127.0.0.1"));
  EXPECT_FALSE(subnet("127.0.0.1").contains("127.0.0.2"));
  EXPECT_EQ(subnet("::1").to_string(), "::1/128");
}

TEST(Subnet, OfNoBitsHoldsAllOfItsFamily) {
  EXPECT_TRUE(subnet("0.0.0.0/0").contains("203.0.113.9"));
  EXPECT_FALSE(subnet("0.0.0.0/0").contains("::1"));
}

TEST(Subnet, TakesAnIpv4AddressWrittenInIpv6) {
  EXPECT_TRUE(subnet("10.0.0.0/8").contains("::ffff:10.1.2.3"));
}

TEST(Subnet, HoldsNothingThatIsNoAddress) {
  for (const char* text : {"", "unix", "10.0.0", "10.0.0.0/8", "localhost"}) {
    EXPECT_FALSE(subnet("0.0.0.0/0").contains(text)) << text;
  }
}

TEST(Subnet, RefusesWhatIsNoRange) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.1/8",
                           "::/129", "host", "10.0.0.0/8 ", "10.0.0.0/-1"}) {
    const Result<Subnet, Problem> parsed = Subnet::parse(text);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_FALSE(parsed.error().what.empty());
      EXPECT_FALSE(parsed.error().help.empty());
    }
  }
}

// As inet_pton reads it.
IpBytes expected(const std::string& text) {
  IpBytes out;
  if (::inet_pton(AF_INET, text.c_str(), out.bytes.data()) == 1) {
    out.size = 4;
    return out;
  }
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return {};
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    out.size = 4;
    std::memcpy(out.bytes.data(), six.s6_addr + 12, 4);
    return out;
  }
  out.size = 16;
  std::memcpy(out.bytes.data(), six.s6_addr, 16);
  return out;
}

TEST(ReadIp, ReadsWhatTheSystemReads) {
  for (const char* text : {"::",
                           "::1",
                           "1::",
                           "1::2",
                           "1:2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7::",
                           "::2:3:4:5:6:7:8",
                           "1:2:3:4::5:6:7:8",
                           "::ffff:1.2.3.4",
                           "::1.2.3.4",
                           "1:2:3:4:5:6:1.2.3.4",
                           "::1:1.2.3.4",
                           "1.2.3.4::",
                           "1::2::3",
                           ":::",
                           ":1",
                           "1:",
                           "::1:",
                           ":1::",
                           "12345::",
                           "g::",
                           "1.2.3",
                           "1.2.3.4.",
                           ".1.2.3.4",
                           "1..2.3",
                           "256.1.1.1",
                           "01.2.3.4",
                           "1.2.3.4.5",
                           "0.0.0.0",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "FE80::aBcD",
                           "::ffff:0:0",
                           "::fffe:1.2.3.4",
                           " ::1",
                           "::1 ",
                           "1.2.3.4 ",
                           "+1.2.3.4",
                           "::-1"}) {
    EXPECT_EQ(read_ip(text), expected(text)) << text;
  }
}

TEST(ReadIp, ReadsWhatTheSystemReadsOfAnything) {
  std::mt19937 random(1);
  constexpr std::string_view kParts[] = {":",   "::", ".",  "1",   "0", "ffff",
                                         "255", "a",  "12", "256", "/"};
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (unsigned parts = random() % 16; parts > 0; --parts) {
      text += kParts[random() % std::size(kParts)];
    }
    ASSERT_EQ(read_ip(text), expected(text)) << text;
  }
}

}  // namespace
}  // namespace weir
