#include "discovery/replica_plan.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace weir {
namespace {

Allocation nodes(std::vector<uint32_t> gpus, uint32_t cpus = 16) {
  Allocation allocation;
  allocation.job_id = "42";
  for (size_t i = 0; i < gpus.size(); ++i) {
    allocation.nodes.push_back({"n0" + std::to_string(i + 1), cpus, gpus[i], ""});
  }
  return allocation;
}

std::string ids(const Result<ReplicaPlan, Problem>& plan) {
  if (!plan) return plan.error().what;
  std::string text;
  for (const PlannedReplica& replica : plan.value().replicas) text += replica.id + " ";
  return text;
}

bool has(const std::vector<std::string>& argv, const std::string& argument) {
  return std::find(argv.begin(), argv.end(), argument) != argv.end();
}

TEST(ReplicaPlanTest, PutsOneReplicaOnEachGpuNodeByNode) {
  const auto plan = plan_replicas(nodes({2, 3}), {});
  EXPECT_EQ(ids(plan), "n01-0 n01-1 n02-0 n02-1 n02-2 ");
  EXPECT_EQ(plan.value().replicas[4].index, 4U);
  EXPECT_EQ(plan.value().replicas[4].first_gpu, 2U);
  EXPECT_EQ(plan.value().replicas[4].node_gpus, 3U);
  EXPECT_TRUE(plan.value().remarks.empty());
}

TEST(ReplicaPlanTest, GivesLargerReplicasTheirShares) {
  const auto plan = plan_replicas(nodes({4, 4}), {.gpus_per_replica = 2});
  EXPECT_EQ(ids(plan), "n01-0 n01-1 n02-0 n02-1 ");
  EXPECT_EQ(plan.value().replicas[1].first_gpu, 2U);
  EXPECT_EQ(plan.value().replicas[1].gpus, 2U);
  EXPECT_EQ(plan.value().replicas[1].cpus, 8U);
}

TEST(ReplicaPlanTest, SaysWhichGpusAreLeftOver) {
  const auto plan = plan_replicas(nodes({4, 0}), {.gpus_per_replica = 3});
  EXPECT_EQ(ids(plan), "n01-0 ");
  ASSERT_EQ(plan.value().remarks.size(), 2U);
  EXPECT_EQ(plan.value().remarks[0], "1 GPU of n01 stays unused: 3 per replica does not divide 4");
  EXPECT_EQ(plan.value().remarks[1], "node n02 has no GPU: no replica there");
}

TEST(ReplicaPlanTest, RefusesReplicasThatFitNowhere) {
  const auto plan = plan_replicas(nodes({4, 4}), {.gpus_per_replica = 8});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().what,
            "no node of job 42 has the 8 GPUs that a replica needs (at most 4 on one node)");
}

TEST(ReplicaPlanTest, TakesFewerWhenAskedAndRefusesMore) {
  EXPECT_EQ(ids(plan_replicas(nodes({2, 2}), {.replicas = 3})), "n01-0 n01-1 n02-0 ");
  const auto plan = plan_replicas(nodes({2, 2}), {.replicas = 5});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().help.find("--replicas 4"), std::string::npos);
}

TEST(ReplicaPlanTest, DealsReplicasOutWhenThereAreNoGpus) {
  EXPECT_EQ(ids(plan_replicas(nodes({0, 0}), {.replicas = 3})), "n01-0 n01-1 n02-0 ");
  const auto plan = plan_replicas(nodes({0, 0}), {});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().help.find("--replicas N"), std::string::npos);
}

TEST(ReplicaPlanTest, LeavesGpusAloneWhenAReplicaWantsNone) {
  const auto plan = plan_replicas(nodes({4}), {.gpus_per_replica = 0, .replicas = 6});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan.value().replicas.size(), 6U);
  EXPECT_EQ(plan.value().replicas[5].gpus, 0U);
}

TEST(ReplicaPlanTest, MakesIdsShortAndStillUnique) {
  Allocation allocation = nodes({1, 1});
  allocation.nodes[0].name = "n01.a.example";
  EXPECT_EQ(ids(plan_replicas(allocation, {})), "n01-0 n02-0 ");
  allocation.nodes[1].name = "n01.b.example";
  EXPECT_EQ(ids(plan_replicas(allocation, {})), "n01.a.example-0 n01.b.example-0 ");
}

TEST(ReplicaPlanTest, RefusesAnEmptyAllocation) {
  EXPECT_FALSE(plan_replicas(nodes({}), {}));
}

TEST(ReplicaPlanTest, PlansThisMachine) {
  EXPECT_EQ(ids(plan_local_replicas(2, {})), "local-0 local-1 ");
  EXPECT_EQ(ids(plan_local_replicas(0, {.replicas = 3})), "local-0 local-1 local-2 ");
  EXPECT_FALSE(plan_local_replicas(0, {}));
  EXPECT_FALSE(plan_local_replicas(1, {.replicas = 2}));
}

TEST(ReplicaPlanTest, WritesTheOverlappingSrunLine) {
  const auto plan = plan_replicas(nodes({4}), {.gpus_per_replica = 2});
  EXPECT_EQ(
      shell_quoted(srun_command(nodes({4}), plan.value().replicas[1],
                                {.srun_args = {"--container-image=a b"}}, {"sh", "-c", "x y"})),
      "srun --jobid=42 --nodes=1 --ntasks=1 --nodelist=n01 --overlap --gpus-per-node=4 --mem=0 "
      "--export=ALL --kill-on-bad-exit=1 --job-name=weir-n01-1 '--container-image=a b' sh -c "
      "'x y'");
}

TEST(ReplicaPlanTest, WritesTheExactSrunLine) {
  const ReplicaPlanOptions options{.gpus_per_replica = 2, .binding = GpuBinding::slurm};
  const auto plan = plan_replicas(nodes({4}), options);
  const auto argv = srun_command(nodes({4}), plan.value().replicas[1], options, {"x"});
  for (const char* argument :
       {"--exact", "--gpus-per-node=2", "--cpus-per-task=8", "--immediate=30"}) {
    EXPECT_TRUE(has(argv, argument)) << argument;
  }
  EXPECT_FALSE(has(argv, "--overlap"));
}

TEST(ReplicaPlanTest, RefusesSlurmsBindingWithFewerCpusThanReplicas) {
  const auto plan = plan_replicas(nodes({8}, 1), {.binding = GpuBinding::slurm});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().what.find("one after the other"), std::string::npos);
  EXPECT_TRUE(plan_replicas(nodes({8}, 1), {}));
}

TEST(ReplicaPlanTest, TakesTheInputVariablesOfSrunOutAndLeavesTheRest) {
  const Environment before{
      {"SLURM_GPUS", "8"},         {"SLURM_GPUS_PER_NODE", "a100:4"}, {"SLURM_EXPORT_ENV", "NONE"},
      {"SRUN_CPUS_PER_TASK", "1"}, {"SLURM_NTASKS_PER_NODE", "1"},    {"SLURM_JOB_ID", "42"},
      {"SLURM_CONF", "/x"},        {"SLURM_JOB_NODELIST", "n01"},     {"HOME", "/h"}};
  const Environment after{
      {"SLURM_JOB_ID", "42"}, {"SLURM_CONF", "/x"}, {"SLURM_JOB_NODELIST", "n01"}, {"HOME", "/h"}};
  EXPECT_EQ(srun_environment(before), after);
}

TEST(ReplicaPlanTest, QuotesForTheShell) {
  EXPECT_EQ(shell_quoted({"a", "", "it's", "$x", "-p=1"}), "a '' 'it'\\''s' '$x' -p=1");
}

}  // namespace
}  // namespace weir
