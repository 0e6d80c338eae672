#include "discovery/gpu_share.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string gpus(const Environment& environment, uint32_t first, uint32_t count,
                 uint32_t devices = 0) {
  const auto share = take_gpus(environment, first, count, devices);
  return share ? share.value().gpus : "problem: " + share.error().what;
}

TEST(GpuShareTest, TakesEntriesOfTheListNotNumbers) {
  const Environment second_job{{"CUDA_VISIBLE_DEVICES", "2,3"}};
  EXPECT_EQ(gpus(second_job, 0, 1), "2");
  EXPECT_EQ(gpus(second_job, 1, 1), "3");
  EXPECT_EQ(gpus({{"CUDA_VISIBLE_DEVICES", "0,1,6,7"}}, 2, 2), "6,7");
}

TEST(GpuShareTest, SaysWhenThereAreTooFew) {
  EXPECT_EQ(gpus({{"CUDA_VISIBLE_DEVICES", "0"}}, 1, 2),
            "problem: this step sees too few GPUs: it needs entries 1 to 2 of "
            "CUDA_VISIBLE_DEVICES=\"0\"");
  EXPECT_EQ(gpus({}, 0, 1).find("problem: no GPU is visible here"), 0U);
}

TEST(GpuShareTest, SetsEveryVariableThatWasSet) {
  const auto share =
      take_gpus({{"ROCR_VISIBLE_DEVICES", "0,1"}, {"ZE_AFFINITY_MASK", "4,5"}}, 1, 1, 0);
  ASSERT_TRUE(share);
  ASSERT_EQ(share.value().variables.size(), 2U);
  EXPECT_EQ(share.value().variables[0],
            (std::pair<std::string, std::string>("ROCR_VISIBLE_DEVICES", "1")));
  EXPECT_EQ(share.value().variables[1].second, "5");
}

TEST(GpuShareTest, UsesPositionsForUuidsThatCoverAllDevices) {
  const Environment uuids{{"CUDA_VISIBLE_DEVICES", "GPU-aa,GPU-bb"}};
  EXPECT_EQ(gpus(uuids, 1, 1, 2), "1");
  EXPECT_EQ(gpus(uuids, 1, 1, 4), "GPU-bb");
  EXPECT_EQ(gpus({{"CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b"}}, 1, 1, 2), "MIG-b");
}

TEST(GpuShareTest, CountsDevicesWhenNothingIsSet) {
  EXPECT_EQ(gpus({}, 2, 2, 4), "2,3");
  EXPECT_EQ(gpus({}, 3, 2, 4).find("problem"), 0U);
}

TEST(GpuShareTest, LeavesEverythingAloneWhenNoneAreWanted) {
  const auto share = take_gpus({{"CUDA_VISIBLE_DEVICES", "0"}}, 0, 0, 8);
  ASSERT_TRUE(share);
  EXPECT_TRUE(share.value().variables.empty());
}

}  // namespace
}  // namespace weir
