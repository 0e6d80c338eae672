#include "discovery/own_address.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(OwnAddressTest, PrefersPrivateAddressesOfRealInterfaces) {
  EXPECT_EQ(best_address({{"lo", "127.0.0.1"}, {"eth0", "203.0.113.9"}, {"ib0", "10.3.0.9"}}),
            "10.3.0.9");
  EXPECT_EQ(best_address({{"docker0", "172.17.0.1"}, {"eth0", "203.0.113.9"}}), "203.0.113.9");
  EXPECT_EQ(best_address({{"eth0", "169.254.3.4"}, {"eth1", "192.168.1.2"}}), "192.168.1.2");
}

TEST(OwnAddressTest, GivesNoneWhenThereIsOnlyLoopback) {
  EXPECT_EQ(best_address({{"lo", "127.0.0.1"}, {"lo", "127.0.1.1"}}), "");
  EXPECT_EQ(best_address({}), "");
}

TEST(OwnAddressTest, KeepsTheFirstOfEquals) {
  EXPECT_EQ(best_address({{"eth0", "10.0.0.1"}, {"eth1", "10.0.0.2"}}), "10.0.0.1");
}

}  // namespace
}  // namespace weir
