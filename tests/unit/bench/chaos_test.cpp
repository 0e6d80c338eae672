#include "bench/engine/chaos.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ChaosActionTest, OrdersAndCommandsAreRead) {
  const ChaosAction drain = parse_action("30s drain n01-0").value();
  EXPECT_EQ(drain.at_s, 30);
  EXPECT_EQ(drain.kind, ChaosAction::Kind::post);
  EXPECT_EQ(drain.path, "/api/v1/backends/n01-0/drain");
  EXPECT_EQ(drain.text, "drain n01-0");
  const ChaosAction kill = parse_action("1m exec kill -9 123 && true").value();
  EXPECT_EQ(kill.at_s, 60);
  EXPECT_EQ(kill.command, "kill -9 123 && true");
}

TEST(ChaosActionTest, WhatCannotBeReadIsRefusedWithAnExample) {
  for (const char* text : {"", "30s", "30 drain a", "30s drain", "30s drain ", "30s explode a"}) {
    const Result<ChaosAction, Problem> action = parse_action(text);
    ASSERT_FALSE(action) << text;
    EXPECT_NE(action.error().help, "") << text;
  }
}

}  // namespace
}  // namespace weir
