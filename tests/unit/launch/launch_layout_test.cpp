#include "lb/launch/launch_layout.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

namespace weir {
namespace {

LaunchOptions options_for(uint32_t replicas) {
  LaunchOptions options;
  options.serve = "serve --port {port}";
  options.replicas = replicas;
  return options;
}

const Environment kBare = {{"PATH", "/nowhere"}, {"CUDA_VISIBLE_DEVICES", ""}};

std::string problem_of(const LaunchOptions& options, const Environment& environment) {
  const auto layout = lay_out_run(options, environment);
  return layout ? "" : layout.error().what + " | " + layout.error().help;
}

TEST(LaunchLayoutTest, PutsReplicasOnThisMachineOutsideOfSlurm) {
  const auto layout = lay_out_run(options_for(3), kBare);
  ASSERT_TRUE(layout) << layout.error().what;
  EXPECT_FALSE(layout.value().is_slurm);
  EXPECT_EQ(describe(layout.value()), "3 replicas on this machine");
  EXPECT_TRUE(layout.value().remarks.empty());
}

TEST(LaunchLayoutTest, TakesOneReplicaForEachGpuItIsShown) {
  const auto layout =
      lay_out_run(options_for(0), {{"PATH", "/nowhere"}, {"CUDA_VISIBLE_DEVICES", "0,3"}});
  ASSERT_TRUE(layout);
  EXPECT_EQ(describe(layout.value()), "2 replicas of 1 GPU on this machine");
}

TEST(LaunchLayoutTest, WantsToKnowHowManyReplicasWithoutAGpu) {
  EXPECT_NE(problem_of(options_for(0), kBare).find("--replicas N"), std::string::npos);
}

TEST(LaunchLayoutTest, WantsAJobWhereThereIsSlurm) {
  char directory[] = "/tmp/weir_layout_XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string srun = std::string(directory) + "/srun";
  std::ofstream(srun) << "#!/bin/sh\n";
  ::chmod(srun.c_str(), 0755);
  const Environment environment = {{"PATH", directory}, {"CUDA_VISIBLE_DEVICES", ""}};
  EXPECT_NE(problem_of(options_for(2), environment).find("submit with sbatch, or --local"),
            std::string::npos);
  LaunchOptions local = options_for(2);
  local.local = true;
  EXPECT_EQ(problem_of(local, environment), "");
  ::unlink(srun.c_str());
  ::rmdir(directory);
}

TEST(LaunchLayoutTest, CannotWaitForMoreReplicasThanArePlanned) {
  LaunchOptions options = options_for(2);
  options.wait_ready = 3;
  EXPECT_NE(problem_of(options, kBare).find("only 2 replicas planned"), std::string::npos);
  options.wait_ready = LaunchOptions::kAll;
  EXPECT_EQ(problem_of(options, kBare), "");
}

TEST(LaunchLayoutTest, SaysWhatIsOddAboutServeAndSrunArgs) {
  LaunchOptions options = options_for(1);
  options.serve = "serve --port {prot}";
  EXPECT_FALSE(lay_out_run(options, kBare).value().remarks.empty());
  options.srun_args = "--a='";
  EXPECT_NE(problem_of(options, kBare).find("--srun-args"), std::string::npos);
}

TEST(MissingExecTest, WarnsInABatchScriptOnly) {
  const Environment job = {{"SLURM_JOB_ID", "7"}};
  EXPECT_NE(missing_exec(job, "slurm_script", false), "");
  EXPECT_NE(missing_exec(job, "bash", false), "");
  EXPECT_EQ(missing_exec(job, "bash", true), "") << "salloc";
  EXPECT_EQ(missing_exec(job, "slurmstepd", false), "") << "it was exec'ed";
  EXPECT_EQ(missing_exec({}, "bash", false), "");
}

}  // namespace
}  // namespace weir
