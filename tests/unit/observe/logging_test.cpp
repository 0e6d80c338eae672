#include "lb/observe/logging.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(LoggingTest, LinesHaveTimeAndLevelAndNoControlCharacters) {
  testing::internal::CaptureStderr();
  {
    const Logging logging(LogLevel::info);
    log_info("a\x1b[31m\nb");
    log_debug("not this one");
    log_error("bad");
  }
  log_info("nor this: nobody listens any more");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("not this one"), std::string::npos);
  EXPECT_EQ(text.find("nor this"), std::string::npos);
  EXPECT_NE(text.find("Z info a\\u001b[31m\\nb\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Z error bad\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace weir
