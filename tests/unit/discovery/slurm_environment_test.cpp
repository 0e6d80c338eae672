#include "discovery/slurm_environment.h"

#include <fstream>

#include <gtest/gtest.h>

namespace weir {
namespace {

Environment recorded_batch() {
  Environment environment;
  std::ifstream file(WEIR_FIXTURES "/slurm/env_batch.txt");
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    environment[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return environment;
}

TEST(SlurmEnvironmentTest, ReadsARecordedBatchScript) {
  const auto allocation = read_allocation(recorded_batch());
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation.value().job_id, "2");
  ASSERT_EQ(allocation.value().nodes.size(), 2U);
  EXPECT_EQ(allocation.value().nodes[1].name, "gpu02");
  EXPECT_EQ(allocation.value().nodes[1].cpus, 8U);
  EXPECT_EQ(allocation.value().nodes[1].gpus, 4U);
  EXPECT_FALSE(allocation.value().gpus_known);
  EXPECT_FALSE(allocation.value().is_inside_step);
}

TEST(SlurmEnvironmentTest, KnowsWhetherThereIsAnAllocation) {
  EXPECT_FALSE(is_in_allocation({}));
  EXPECT_FALSE(is_in_allocation({{"SLURM_JOB_ID", ""}}));
  EXPECT_TRUE(is_in_allocation({{"SLURM_JOBID", "7"}}));
}

TEST(SlurmEnvironmentTest, HelpsThoseWithoutAJob) {
  const auto allocation = read_allocation({});
  ASSERT_FALSE(allocation);
  EXPECT_EQ(allocation.error().help, "submit with sbatch, or --local");
}

TEST(SlurmEnvironmentTest, RefusesAJobIdThatIsNone) {
  EXPECT_FALSE(read_allocation({{"SLURM_JOB_ID", "--all"}, {"SLURM_JOB_NODELIST", "a"}}));
}

TEST(SlurmEnvironmentTest, SaysThatTheNodeListIsBad) {
  const auto allocation = read_allocation({{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NODELIST", "a[1-"}});
  ASSERT_FALSE(allocation);
  EXPECT_EQ(allocation.error().what.find("SLURM_JOB_NODELIST: bad host list item"), 0U);
}

TEST(SlurmEnvironmentTest, TakesStepRestartAndEnd) {
  const auto allocation = read_allocation({{"SLURM_JOB_ID", "7"},
                                           {"SLURM_JOB_NODELIST", "a"},
                                           {"SLURM_STEP_ID", "0"},
                                           {"SLURM_RESTART_COUNT", "2"},
                                           {"SLURM_JOB_END_TIME", "1795328185"},
                                           {"SLURM_GPUS_PER_NODE", "a100:4"}});
  ASSERT_TRUE(allocation);
  EXPECT_TRUE(allocation.value().is_inside_step);
  EXPECT_EQ(allocation.value().restart_count, 2U);
  EXPECT_EQ(allocation.value().end_time, 1795328185);
  EXPECT_EQ(allocation.value().nodes[0].gpus, 0U);  // typed, and never taken from there
}

TEST(SlurmEnvironmentTest, ExpandsCounts) {
  EXPECT_EQ(expand_counts("4(x2),6").value(), (std::vector<uint32_t>{4, 4, 6}));
  EXPECT_EQ(expand_counts("6,1").value(), (std::vector<uint32_t>{6, 1}));
  EXPECT_TRUE(expand_counts("").value().empty());
}

TEST(SlurmEnvironmentTest, RefusesBadCounts) {
  for (const char* text : {"4(x", "4(x2", "x", "4(x-1)", "4(x99999999)", "4(x65536),1", ",4"}) {
    EXPECT_FALSE(expand_counts(text)) << text;
  }
}

TEST(SlurmEnvironmentTest, LeavesCpusUnknownWhenTheirCountDoesNotFit) {
  const auto allocation = read_allocation(
      {{"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NODELIST", "a,b"}, {"SLURM_JOB_CPUS_PER_NODE", "4"}});
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation.value().nodes[0].cpus, 0U);
}

}  // namespace
}  // namespace weir
