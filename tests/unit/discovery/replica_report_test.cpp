#include "discovery/replica_report.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ReplicaReportTest, IsReadAsWritten) {
  const ReplicaReport report{"gpu01", "10.0.0.1", 61033, "0,1", "2.3"};
  const std::string line = format_report(report);
  EXPECT_EQ(line, "weir-replica v1 host=gpu01 addr=10.0.0.1 port=61033 gpus=0,1 step=2.3");
  const auto read = parse_report(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(format_report(*read), line);
}

TEST(ReplicaReportTest, HasDashesForWhatIsEmpty) {
  const auto report = parse_report(format_report({"h", "", 80, "", ""}));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->address, "");
  EXPECT_EQ(report->step, "");
}

TEST(ReplicaReportTest, TakesFieldsOfLaterVersions) {
  EXPECT_TRUE(parse_report("weir-replica v1 port=80 colour=blue x"));
}

TEST(ReplicaReportTest, RefusesWhatIsNoReport) {
  for (const char* line :
       {"", "INFO: started", "weir-replica v1 host=a", "weir-replica v1 port=0",
        "weir-replica v1 port=99999", "weir-replica v2 port=80",
        "weir-replica v1 port=80 host=a\x01", "weir-replica v1 port=80 addr=\"x\""}) {
    EXPECT_FALSE(parse_report(line)) << line;
  }
}

TEST(ReplicaReportTest, CarriesTheEndAndProblems) {
  EXPECT_EQ(parse_end(format_end(137)), 137);
  EXPECT_FALSE(parse_end("weir-replica end x"));
  EXPECT_EQ(parse_problem(format_problem({"no\nGPU", "ask"})), "no GPU; help: ask");
}

TEST(ReplicaReportTest, DescribesExitCodes) {
  EXPECT_EQ(describe_exit_code(1), "exited with code 1");
  EXPECT_EQ(describe_exit_code(137), "killed by signal 9 (Killed)");
  EXPECT_EQ(describe_exit_code(127), "exited with code 127 (command not found)");
}

}  // namespace
}  // namespace weir
