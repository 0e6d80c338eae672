// The error table, kind by kind: what holds for all of them, and what clients rely on.
#include "weir/error.h"

#include <errno.h>

#include <set>

#include <gtest/gtest.h>

#include "weir/result.h"

namespace weir {
namespace {

class ErrorKindTest : public testing::TestWithParam<int> {
 protected:
  ErrorKind kind() const { return static_cast<ErrorKind>(GetParam()); }
  const ErrorTraits& it() const { return traits(kind()); }
};

TEST_P(ErrorKindTest, HasARowOfItsOwnInWords) {
  EXPECT_EQ(it().kind, kind());
  EXPECT_FALSE(it().name.empty() || it().type.empty() || it().code.empty());
  EXPECT_EQ(it().name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
            std::string_view::npos);
  ASSERT_FALSE(it().message.empty());
  EXPECT_NE(it().message.back(), '.');
}

TEST_P(ErrorKindTest, TheBlameAndTheStatusAgree) {
  const int status = it().status;
  const bool has_nobody_to_answer = kind() == ErrorKind::client_gone ||
                                    kind() == ErrorKind::write_stall ||
                                    kind() == ErrorKind::tunnel_idle;
  if (has_nobody_to_answer) {
    EXPECT_EQ(status, 0);
  } else if (it().blame == Blame::backend) {
    EXPECT_TRUE(status == 502 || status == 504) << status;
  } else {
    EXPECT_GE(status, 400);
    EXPECT_LE(status, 599);
  }
}

TEST_P(ErrorKindTest, OnlyBackendsAreChargedInTheirHealth) {
  EXPECT_TRUE(!it().against_health || it().blame == Blame::backend);
}

TEST_P(ErrorKindTest, OnlyWhatMayPassIsToBeTriedLater) {
  EXPECT_GE(it().retry_after_seconds, 0);
  if (it().retry_after_seconds == 0) return;
  EXPECT_FALSE(it().should_not_retry);
  EXPECT_TRUE(it().status == 429 || it().status >= 500) << it().status;
}

INSTANTIATE_TEST_SUITE_P(Every, ErrorKindTest, testing::Range(0, kErrorKinds),
                         [](const auto& kind) {
                           return std::string(name(static_cast<ErrorKind>(kind.param)));
                         });

TEST(ErrorTest, NoTwoKindsHaveTheSameName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kErrorKinds; ++i) names.insert(name(static_cast<ErrorKind>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kErrorKinds));
}

TEST(ErrorTest, ASlowBackendIsNotAskedAgainByTheSdk) {
  EXPECT_TRUE(traits(ErrorKind::first_byte_timeout).should_not_retry);
  EXPECT_EQ(traits(ErrorKind::first_byte_timeout).status, 504);
  EXPECT_TRUE(traits(ErrorKind::request_deadline).should_not_retry);
  EXPECT_EQ(traits(ErrorKind::request_deadline).status, 504);
}

TEST(ErrorTest, WaitingTooLongAndTooManyAreToldApart) {
  EXPECT_EQ(traits(ErrorKind::queue_full).status, 429);
  EXPECT_EQ(traits(ErrorKind::queue_timeout).status, 503);
  EXPECT_GT(traits(ErrorKind::queue_full).retry_after_seconds, 0);
  EXPECT_GT(traits(ErrorKind::backends_loading).retry_after_seconds, 0);
}

TEST(ErrorTest, IsDescribedWithTheErrnoInWords) {
  EXPECT_EQ(describe({ErrorKind::connect_refused, false, ECONNREFUSED}),
            "connect_refused (Connection refused)");
  EXPECT_EQ(describe({ErrorKind::queue_full}), "queue_full");
}

TEST(ResultTest, HoldsAValueOrAnErrorAndMovesOut) {
  Result<std::string> good(std::string("yes"));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->size(), 3U);
  EXPECT_EQ(std::move(good).value(), "yes");
  const Result<std::string> bad(Error{ErrorKind::internal});
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::internal);
}

TEST(ResultDeathTest, AskingForAValueThatIsNotThereEndsTheProcess) {
  const Result<int> bad(Error{ErrorKind::internal});
  EXPECT_DEATH((void)bad.value(), "assertion failed: has_value()");
}

}  // namespace
}  // namespace weir
