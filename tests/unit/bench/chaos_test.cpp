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

TEST(ChaosActionTest, AMistakeIsToldByItsNameAndWithWhatToWrite) {
  struct Mistake {
    const char* text;
    const char* what;
    const char* help;
  };
  for (const Mistake& mistake : std::initializer_list<Mistake>{
           {"", "time and action are missing", "--at 30s drain n01-0"},
           {"30s", "behind \"30s\" an action is missing", "--at 30s drain n01-0"},
           {"30s ", "an action is missing", "--at 30s drain n01-0"},
           {"30 drain a", "expected a duration, got \"30\"", "with its unit"},
           {"30s,drain X", "behind the time \"30s\" stands \",drain\"", "put a blank between"},
           {"30s:drain X", "behind the time \"30s\" stands \":drain\"", "put a blank between"},
           {"soon drain X", "expected a duration, got \"soon\"", "with its unit"},
           {"30s drain", "drain of which backend?", "--at 30s drain n01-0"},
           {"30s undrain ", "undrain of which backend?", "--at 30s drain n01-0"},
           {"30s drain a b", "\"a b\" is not the name of one backend", "an --at of its own"},
           {"30s drain a,b", "\"a,b\" is not the name of one backend", "an --at of its own"},
           {"60s exec", "exec of which command?", "exec 'COMMAND'"},
           {"30s explode a", "unknown action \"explode\"", "there are drain, undrain and exec"},
           {"60s kill n02", "unknown action \"kill\"", "exec 'kill n02' runs a command"}}) {
    const Result<ChaosAction, Problem> action = parse_action(mistake.text);
    ASSERT_FALSE(action) << mistake.text;
    EXPECT_EQ(action.error().what.find("--at: "), 0U) << action.error().what;
    EXPECT_NE(action.error().what.find(mistake.what), std::string::npos) << action.error().what;
    EXPECT_NE(action.error().help.find(mistake.help), std::string::npos) << action.error().help;
  }
}

}  // namespace
}  // namespace weir
