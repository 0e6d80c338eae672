#include "weir/subnet.h"

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

}  // namespace
}  // namespace weir
