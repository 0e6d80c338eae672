#include "discovery/replica_log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace weir {
namespace {

struct ReplicaLogTest : testing::Test {
  ReplicaLogTest() {
    std::string pattern = testing::TempDir() + "weir-log-XXXXXX";
    directory = ::mkdtemp(pattern.data());
  }
  ~ReplicaLogTest() override { std::filesystem::remove_all(directory); }
  std::string path() const { return directory + "/r0.log"; }
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string directory;
};

TEST_F(ReplicaLogTest, WritesAFileForItsOwnerOnly) {
  ReplicaLog log(path());
  log.begin("start 1");
  log.add("hello");
  EXPECT_EQ(text_of(path()), "=== start 1 ===\nhello\n");
  EXPECT_EQ(std::filesystem::status(path()).permissions(), std::filesystem::perms(0600));
}

TEST_F(ReplicaLogTest, KeepsTheLastLinesOfThisStart) {
  ReplicaLog log("");
  log.add("of the start before");
  log.begin("start 2");
  for (int i = 0; i < 60; ++i) log.add(std::to_string(i));
  log.add("");
  log.add(std::string(10000, 'x'));
  const auto lines = log.last_lines();
  EXPECT_EQ(lines.size(), ReplicaLog::kKeptLines);
  EXPECT_EQ(lines.front(), "11");
  EXPECT_EQ(lines.back().size(), ReplicaLog::kLongestKeptLine);
}

TEST_F(ReplicaLogTest, BeginsANewFileAtTheLimit) {
  ReplicaLog log(path(), 20);
  log.add("0123456789");
  log.add("abcdefghij");
  log.add("next");
  EXPECT_EQ(text_of(path() + ".1"), "0123456789\nabcdefghij\n");
  EXPECT_EQ(text_of(path()), "next\n");
}

TEST_F(ReplicaLogTest, FindsTextWithoutCase) {
  ReplicaLog log("");
  log.add("ERROR: [Errno 98] Address already in USE");
  EXPECT_TRUE(log.contains("address already in use"));
  EXPECT_FALSE(log.contains("eaddrinuse"));
}

TEST_F(ReplicaLogTest, SurvivesADirectoryThatIsNotThere) {
  ReplicaLog log(directory + "/none/r0.log");
  log.add("hello");
  EXPECT_EQ(log.last_lines().size(), 1U);
}

}  // namespace
}  // namespace weir
