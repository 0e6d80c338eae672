#include "discovery/replica_environment.h"

#include <gtest/gtest.h>

#include "discovery/local_gpus.h"
#include "discovery/run_key.h"

namespace weir {
namespace {

TEST(ReplicaEnvironmentTest, ExtendsNoProxyOfBothSpellingsOnce) {
  Environment environment{
      {"no_proxy", "example.com, n01"}, {"NO_PROXY", "other"}, {"http_proxy", "http://p"}};
  extend_no_proxy(environment, {"n01", "n02", ""});
  EXPECT_EQ(environment["no_proxy"], "example.com,n01,other,localhost,127.0.0.1,::1,n02");
  EXPECT_EQ(environment["NO_PROXY"], environment["no_proxy"]);
  EXPECT_EQ(environment["http_proxy"], "http://p");
}

TEST(ReplicaEnvironmentTest, CarriesTheKeyAndUnbufferedPython) {
  const auto environment = replica_environment({{"VLLM_API_KEY", "old"}}, "new", {});
  EXPECT_EQ(environment.find("VLLM_API_KEY")->second, "new");
  EXPECT_EQ(environment.find("PYTHONUNBUFFERED")->second, "1");
}

TEST(ReplicaEnvironmentTest, MakesKeysThatDiffer) {
  const auto first = make_run_key();
  ASSERT_TRUE(first);
  EXPECT_EQ(first.value().size(), 64U);
  EXPECT_NE(first.value(), make_run_key().value());
}

TEST(LocalGpusTest, CountsTheVisibleDevices) {
  EXPECT_EQ(count_local_gpus({{"CUDA_VISIBLE_DEVICES", "0,1,2"}}), 3U);
  EXPECT_EQ(count_local_gpus({{"CUDA_VISIBLE_DEVICES", "GPU-aa,MIG-bb"}}), 2U);
  EXPECT_EQ(count_local_gpus({{"CUDA_VISIBLE_DEVICES", "0,-1,2"}}), 1U);
  EXPECT_EQ(count_local_gpus({{"CUDA_VISIBLE_DEVICES", ""}}), 0U);
  EXPECT_EQ(count_local_gpus({{"ROCR_VISIBLE_DEVICES", "0,1"}}), 2U);
}

}  // namespace
}  // namespace weir
