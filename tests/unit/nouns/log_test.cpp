#include "weir/log.h"

#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

class LogTest : public testing::Test, public LogSink {
 protected:
  ~LogTest() override { set_log_sink(nullptr, LogLevel::info); }
  void write(LogLevel, std::string_view text) noexcept override { text_ += text; }
  std::string text_;
};

TEST_F(LogTest, WritesFromItsThresholdOn) {
  set_log_sink(this, LogLevel::warning);
  log_debug("d");
  log_info("i");
  log_warning("w");
  log_error("e");
  EXPECT_EQ(text_, "we");
  EXPECT_FALSE(is_logged(LogLevel::info));
  EXPECT_TRUE(is_logged(LogLevel::error));
}

TEST_F(LogTest, WithoutASinkNothingIsLogged) {
  set_log_sink(nullptr, LogLevel::debug);
  log_error("e");
  EXPECT_EQ(text_, "");
  EXPECT_FALSE(is_logged(LogLevel::error));
}

}  // namespace
}  // namespace weir
