#include "discovery/slurm_queue.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string fixture(const char* name) {
  std::ifstream file(std::string(WEIR_FIXTURES "/slurm/") + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

uint32_t gpus_of(const std::string& gres) {
  const auto gpus = parse_job_gpus("JobId=1\n  Nodes=n1 CPU_IDs=0 Mem=1 GRES=" + gres + "\n");
  return gpus ? gpus.value().at("n1") : 9999;
}

TEST(SlurmQueueTest, CountsTheGpusOfARecordedJob) {
  const auto gpus = parse_job_gpus(fixture("scontrol_show_job_d.txt"));
  ASSERT_TRUE(gpus);
  EXPECT_EQ(gpus.value().size(), 2U);
  EXPECT_EQ(gpus.value().at("gpu01"), 4U);
  EXPECT_EQ(gpus.value().at("gpu02"), 4U);
}

TEST(SlurmQueueTest, CountsTypedSeveralAndNone) {
  EXPECT_EQ(gpus_of("gpu:a100:4(IDX:0-3)"), 4U);
  EXPECT_EQ(gpus_of("gpu:a100:2(IDX:0,3),gpu:v100:1(IDX:4)"), 3U);
  EXPECT_EQ(gpus_of("gres:gpu:2(CNT:2),nic:1"), 2U);
  EXPECT_EQ(gpus_of("gpu(IDX:0)"), 1U);
  EXPECT_EQ(gpus_of("shard:4"), 0U);
  EXPECT_EQ(gpus_of(""), 0U);
}

TEST(SlurmQueueTest, TakesOneLineForEachGroupOfLikeNodes) {
  const auto gpus = parse_job_gpus(
      "JobId=7 JobName=x\n   Nodes=n1 CPU_IDs=0-7 Mem=0 GRES=gpu:8(IDX:0-7)\n"
      "   Nodes=n[2-3] CPU_IDs=0 Mem=0 GRES=gpu:2(IDX:0-1)\n   NodeList=n[1-3]\n");
  ASSERT_TRUE(gpus);
  EXPECT_EQ(gpus.value().at("n1"), 8U);
  EXPECT_EQ(gpus.value().at("n3"), 2U);
}

TEST(SlurmQueueTest, RefusesWhatItCannotCount) {
  EXPECT_EQ(gpus_of("gpu:many"), 9999U);
  EXPECT_EQ(gpus_of("gpu:99999999999"), 9999U);
  EXPECT_FALSE(parse_job_gpus(""));
  EXPECT_FALSE(parse_job_gpus("slurm_load_jobs error: Invalid job id specified\n"));
  EXPECT_FALSE(parse_job_gpus("JobId=1\n Nodes=n[1- CPU_IDs=0 GRES=gpu:1\n"));
}

TEST(SlurmQueueTest, ReadsNodeAddresses) {
  const auto addresses = parse_node_addresses(fixture("scontrol_o_show_node.txt"));
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses.value().at("gpu01"), "192.0.2.1");
  EXPECT_EQ(addresses.value().at("gpu02"), "192.0.2.2");
}

TEST(SlurmQueueTest, LeavesOutNodesWithoutAddress) {
  const auto addresses = parse_node_addresses("NodeName=c1 NodeAddr=(null) State=CLOUD\n");
  ASSERT_TRUE(addresses);
  EXPECT_TRUE(addresses.value().empty());
  EXPECT_FALSE(parse_node_addresses("Node gpu09 not found\n"));
}

TEST(SlurmQueueTest, ReadsTheTimeLeft) {
  EXPECT_EQ(parse_time_left("2026-11-22T06:46:25|29:59\n").value(), 29 * 60 + 59);
  EXPECT_EQ(parse_time_left("x|1-02:03:04\n").value(), 86400 + 7384);
  EXPECT_EQ(parse_time_left("x|0:07\n").value(), 7);
  EXPECT_EQ(parse_time_left("NONE|UNLIMITED\n").value(), -1);
  EXPECT_EQ(parse_time_left("x|INVALID\n").value(), 0);
}

TEST(SlurmQueueTest, RefusesABadTimeLeft) {
  for (const char* text : {"", "x", "x|", "x|soon", "x|1:2:3:4", "x|-5", "x|1-"}) {
    EXPECT_FALSE(parse_time_left(text)) << text;
  }
}

TEST(SlurmQueueTest, ListsTheStepsOfSrunOnly) {
  const auto steps = parse_steps("2.1|weir-9-n01-0\n2.batch|batch\n2.extern|extern\n2.10|x|y\n");
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps.value().size(), 2U);
  EXPECT_EQ(steps.value()[0].id, "2.1");
  EXPECT_EQ(steps.value()[0].name, "weir-9-n01-0");
  EXPECT_TRUE(parse_steps("").value().empty());
  EXPECT_FALSE(parse_steps("slurm_load_jobs error: Unable to contact slurm controller\n"));
}

}  // namespace
}  // namespace weir
