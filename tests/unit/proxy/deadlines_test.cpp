// Several limits of time behind one timer, in virtual time.
#include "lb/proxy/deadlines.h"

#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::seconds;

class DeadlinesTest : public testing::Test {
 protected:
  void on_over(Limit limit) {
    over_.push_back(limit);
    if (clears_all_) deadlines_.clear_all();
  }
  std::vector<Limit> after(int s) {
    over_.clear();
    queue_.advance_to(queue_.now() + seconds(s));
    return over_;
  }

  TimerQueue queue_;
  Deadlines deadlines_{queue_, bind<&DeadlinesTest::on_over>(this)};
  std::vector<Limit> over_;
  bool clears_all_ = false;
};

TEST_F(DeadlinesTest, EachComesInItsTime) {
  deadlines_.set_after(Limit::request, seconds(9));
  deadlines_.set_after(Limit::silence, seconds(3));
  deadlines_.set_after(Limit::hold, seconds(6));
  EXPECT_EQ(after(4), std::vector{Limit::silence});
  EXPECT_EQ(after(4), std::vector{Limit::hold});
  EXPECT_EQ(after(4), std::vector{Limit::request});
  EXPECT_TRUE(after(100).empty());
}

TEST_F(DeadlinesTest, ThoseOfOneMomentComeAll) {
  deadlines_.set_after(Limit::hold, seconds(3));
  deadlines_.set_after(Limit::request, seconds(3));
  EXPECT_EQ(after(4).size(), 2U);
}

TEST_F(DeadlinesTest, TheOneThatEndsItAllIsTheLast) {
  clears_all_ = true;
  deadlines_.set_after(Limit::hold, seconds(3));
  deadlines_.set_after(Limit::request, seconds(3));
  EXPECT_EQ(after(9).size(), 1U);
}

TEST_F(DeadlinesTest, MovedLaterItComesLaterAndClearedNever) {
  deadlines_.set_after(Limit::silence, seconds(3));
  EXPECT_TRUE(after(2).empty());
  deadlines_.set_after(Limit::silence, seconds(3));
  EXPECT_TRUE(after(2).empty());
  EXPECT_EQ(after(2), std::vector{Limit::silence});
  deadlines_.set_after(Limit::silence, seconds(3));
  deadlines_.clear(Limit::silence);
  EXPECT_TRUE(after(9).empty());
}

TEST_F(DeadlinesTest, AnEarlierOneIsNotMissedBehindALaterOne) {
  deadlines_.set_after(Limit::request, seconds(60));
  deadlines_.set_after(Limit::silence, seconds(2));
  EXPECT_EQ(after(3), std::vector{Limit::silence});
}

TEST_F(DeadlinesTest, ZeroIsNoLimit) {
  deadlines_.set_after(Limit::silence, seconds(3));
  deadlines_.set_after(Limit::silence, Duration::zero());
  EXPECT_TRUE(after(9).empty());
}

}  // namespace
}  // namespace weir
