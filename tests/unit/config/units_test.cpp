#include "lb/config/units.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, ReadsANumberAndAUnit) {
  EXPECT_EQ(*parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(*parse_duration("30s"), Duration(30s));
  EXPECT_EQ(*parse_duration("1.5s"), Duration(1500ms));
  EXPECT_EQ(*parse_duration("1h30m"), Duration(90min));
  EXPECT_EQ(*parse_duration("2d"), Duration(48h));
  EXPECT_EQ(*parse_duration("0"), Duration::zero());
}

TEST(DurationTest, SaysWhichUnitIsMissing) {
  const auto result = parse_duration("30");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "\"30\" has no unit");
  EXPECT_EQ(result.error().help, "write \"30s\" (units: ms s m h d)");
}

TEST(DurationTest, RefusesWhatIsNotOne) {
  for (const char* text : {"", "s", "-1s", "1x", "1 s", "1.s", ".5s", "1..5s", "1s ", "nan", "1e3s",
                           "1001d", "99999999999999999999s", "1s1"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(DurationTest, IsReadBackFromItsText) {
  for (const Duration value :
       {Duration(1ms), Duration(250ms), Duration(90s), Duration(10min), Duration(36h)}) {
    EXPECT_EQ(*parse_duration(duration_text(value)), value) << duration_text(value);
  }
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(Duration::zero()), "0");
}

TEST(SizeTest, ReadsPowersOfTwoAndOfTen) {
  EXPECT_EQ(*parse_size("32KiB"), 32768U);
  EXPECT_EQ(*parse_size("8MiB"), 8388608U);
  EXPECT_EQ(*parse_size("1GB"), 1000000000U);
  EXPECT_EQ(*parse_size("100B"), 100U);
  EXPECT_EQ(size_text(32768), "32KiB");
  EXPECT_EQ(size_text(1000), "1000B");
}

TEST(SizeTest, RefusesWhatIsNotOneOrTooLarge) {
  for (const char* text :
       {"", "KiB", "1", "1kib", "-1B", "1.5MiB", "1025GiB", "99999999999999999999B"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(CountTest, SaysTheRange) {
  EXPECT_EQ(*parse_count("7", 1, 10), 7U);
  EXPECT_EQ(parse_count("11", 1, 10).error().what,
            "expected a whole number from 1 to 10, got \"11\"");
  for (const char* text : {"", " 1", "1 ", "+1", "0x1", "1.0", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text, 0, 100)) << text;
  }
}

TEST(ShareTest, IsANumberFromZeroToOne) {
  for (const char* text : {"0", "1", "0.2", "0.125", "0.3333"}) {
    ASSERT_TRUE(parse_share(text)) << text;
    EXPECT_EQ(share_text(*parse_share(text)), text);
  }
  for (const char* text : {"", "-0.1", "1.01", "nan", "inf", "20%", "0,2", " 1", "1 ", "1e9"}) {
    EXPECT_FALSE(parse_share(text)) << text;
  }
  EXPECT_EQ(share_text(*parse_share("-0")), "0");
}

}  // namespace
}  // namespace weir
