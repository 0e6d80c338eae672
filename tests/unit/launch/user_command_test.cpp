#include "lb/launch/user_command.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(DescendantsTest, FindsChildrenOfChildrenInAnyOrder) {
  EXPECT_EQ(descendants_of(10, {{13, 12}, {11, 10}, {12, 11}, {20, 1}, {10, 1}}),
            (std::vector<pid_t>{11, 12, 13}));
  EXPECT_TRUE(descendants_of(10, {{10, 10}, {1, 0}}).empty());
}

TEST(FindProgramTest, LooksAlongThePathAndAtPaths) {
  EXPECT_TRUE(find_program("sh", "/nowhere:/bin"));
  EXPECT_TRUE(find_program("/bin/sh", ""));
  EXPECT_FALSE(find_program("sh", "/nowhere"));
  EXPECT_FALSE(find_program("/bin", "/"));
  EXPECT_FALSE(find_program("/etc/passwd", ""));
}

TEST(FindProgramTest, HelpsWhoWroteShellSyntax) {
  EXPECT_NE(find_program("A=1 python x.py", "/bin").error().help.find("sh -c"), std::string::npos);
}

}  // namespace
}  // namespace weir
