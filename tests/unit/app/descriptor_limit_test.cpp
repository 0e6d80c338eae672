#include "lb/app/descriptor_limit.h"

#include <limits>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(DescriptorLimit, LeavesRoomForTwoDescriptorsAClientAndAReserve) {
  EXPECT_EQ(*room_for_clients(1024, 0), 488U);
  EXPECT_EQ(*room_for_clients(64, 0), 8U);
}

TEST(DescriptorLimit, KeepsWhatWasAskedForWhereItFits) {
  EXPECT_EQ(*room_for_clients(1024, 488), 488U);
  EXPECT_EQ(*room_for_clients(1'048'576, 20'000), 20'000U);
}

TEST(DescriptorLimit, RefusesWhatDoesNotFitAndSaysWhatWould) {
  const auto refused = room_for_clients(1024, 489);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "max_connections 489 needs 1026 open files, and this process may open 1024");
  EXPECT_NE(refused.error().help.find("or set max_connections to 488"), std::string::npos);
}

TEST(DescriptorLimit, RefusesToServeWithNextToNothing) {
  const auto refused = room_for_clients(63, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "this process may open 63 files, and needs 64 to serve");
  EXPECT_NE(refused.error().help.find("ulimit -Hn"), std::string::npos);
}

TEST(DescriptorLimit, HasRoomForAllWhereThereIsNoLimit) {
  EXPECT_EQ(*room_for_clients(std::numeric_limits<uint64_t>::max(), 0),
            std::numeric_limits<uint32_t>::max());
}

}  // namespace
}  // namespace weir
