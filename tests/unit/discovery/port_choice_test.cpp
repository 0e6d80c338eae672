#include "discovery/port_choice.h"

#include <set>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(PortChoiceTest, ReadsTheKernelsRange) {
  EXPECT_EQ(parse_port_range("32768\t60999\n"), (PortRange{32768, 60999}));
  EXPECT_FALSE(parse_port_range(""));
  EXPECT_FALSE(parse_port_range("5 4"));
  EXPECT_FALSE(parse_port_range("1 99999"));
}

TEST(PortChoiceTest, StaysOutsideTheKernelsRange) {
  EXPECT_EQ(listening_range({32768, 60999}), (PortRange{61001, 64999}));
  EXPECT_EQ(listening_range({15000, 65000}).high, 64999);  // all candidates overlap: the first
  EXPECT_EQ(listening_range({32768, 65535}), (PortRange{10000, 19999}));
  EXPECT_EQ(listening_range({61000, 65000}), (PortRange{33000, 60999}));
}

TEST(PortChoiceTest, NeverGivesTwoReplicasOfANodeTheSamePort) {
  std::set<uint16_t> first;
  std::set<uint16_t> second;
  for (uint32_t n = 0; n < 200; ++n) {
    first.insert(nth_port({61001, 64999}, 0, 7, n));
    second.insert(nth_port({61001, 64999}, 1, 99, n));
  }
  EXPECT_GT(first.size(), 50U);
  for (const uint16_t port : first) EXPECT_FALSE(second.contains(port));
  EXPECT_GE(*first.begin(), 61001);
  EXPECT_LE(*second.rbegin(), 64999);
}

TEST(PortChoiceTest, KeepsTheInternalPortsOfARunApart) {
  std::set<uint16_t> bases;
  for (uint32_t local = 0; local < 16; ++local) bases.insert(nth_vllm_port(local, 5, 0));
  EXPECT_EQ(bases.size(), 16U);
  for (const uint16_t base : bases) EXPECT_EQ(base % 50, 0);
  EXPECT_GE(*bases.begin(), 20000);
  EXPECT_LT(*bases.rbegin(), 32000);
}

}  // namespace
}  // namespace weir
