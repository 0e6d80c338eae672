// Ejection alone: how long it lasts, and in which words.
#include <algorithm>

#include <gtest/gtest.h>

#include "lb/balance/ejection.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(EjectionJitterTest, SpreadsByATenthEitherWay) {
  HealthOptions options;
  options.eject_failures = 1;
  Duration shortest = 1h, longest{};
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Ejection ejection(options, seed);
    ASSERT_TRUE(ejection.on_failure(ErrorKind::backend_closed, TimePoint(1h)));
    ejection.eject(ErrorKind::backend_closed, TimePoint(1h));
    shortest = std::min(shortest, ejection.due() - TimePoint(1h));
    longest = std::max(longest, ejection.due() - TimePoint(1h));
  }
  EXPECT_EQ(shortest, 9s);
  EXPECT_EQ(longest, 11s);
}

TEST(EjectionJitterTest, NeverLastsMuchLongerThanTheMost) {
  HealthOptions options;
  options.eject_failures = 1;
  options.eject_base = 10s;
  options.eject_most = 25s;
  Ejection ejection(options, 1);
  for (int i = 0; i < 40; ++i) {
    ejection.eject(ErrorKind::backend_closed, TimePoint(1h));
    EXPECT_LE(ejection.due() - TimePoint(1h), 27500ms);
    ejection.begin_trial();
  }
}

TEST(EjectionWordsTest, TimesAreSaidRoundly) {
  EXPECT_EQ(in_words(10s), "10 s");
  EXPECT_EQ(in_words(9499ms), "9 s");
  EXPECT_EQ(in_words(1500ms), "2 s");
  EXPECT_EQ(in_words(999ms), "999 ms");
  EXPECT_EQ(in_words(300s), "300 s");
}

}  // namespace
}  // namespace weir
