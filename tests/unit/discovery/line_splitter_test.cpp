#include "discovery/line_splitter.h"

#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

struct LineSplitterTest : testing::Test {
  void on_line(std::string_view line) { lines.emplace_back(line); }
  std::vector<std::string> lines;
  LineSplitter splitter{bind<&LineSplitterTest::on_line>(this)};
};

TEST_F(LineSplitterTest, JoinsPiecesAndCutsAtNewlines) {
  splitter.add("a");
  splitter.add("b\nc\n\nd");
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "c", ""}));
  splitter.finish();
  EXPECT_EQ(lines.back(), "d");
}

TEST_F(LineSplitterTest, CutsLinesThatNeverEnd) {
  splitter.add(std::string(LineSplitter::kLongestLine * 2 + 1, 'x'));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].size(), LineSplitter::kLongestLine);
  splitter.finish();
  EXPECT_EQ(lines[2], "x");
}

TEST_F(LineSplitterTest, DropsTheReturnBeforeANewline) {
  splitter.add("a\r\nb\rc\n");
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b\rc"}));
}

}  // namespace
}  // namespace weir
