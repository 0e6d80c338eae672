// The debug trace of choices: from it alone anyone can check that each was one of the fewest.
#include <charconv>

#include "weir/log.h"

#include "tests/unit/balance/balancer_fixture.h"

namespace weir {
namespace {

class TraceTest : public BalancerTest, public LogSink {
 protected:
  TraceTest() { set_log_sink(this, LogLevel::debug); }
  ~TraceTest() override { set_log_sink(nullptr, LogLevel::info); }

  void write(LogLevel, std::string_view text) noexcept override { lines.emplace_back(text); }

  // The number behind `key` in a line.
  static int number(const std::string& line, const std::string& key) {
    const size_t at = line.find(key);
    if (at == std::string::npos) return -1;
    int value = -1;
    std::from_chars(line.data() + at + key.size(), line.data() + line.size(), value);
    return value;
  }

  // The fewest of the list in brackets, over those that carry no mark.
  static int fewest_of_list(const std::string& line) {
    int fewest = 1'000'000;
    for (size_t at = line.find('['); at != std::string::npos; at = line.find(' ', at + 1)) {
      const size_t end = line.find_first_of(" ]", at + 1);
      const std::string entry = line.substr(at + 1, end - at - 1);
      if (entry.find(':') == std::string::npos) fewest = std::min(fewest, number(entry, "="));
    }
    return fewest;
  }

  std::vector<std::string> lines;
};

TEST_F(TraceTest, ShowsTheChosenOneAmongAll) {
  options.max_outstanding = 2;
  ready_backends("a b c d");
  asks_without("b");
  asks_without("b");
  asks_without("a").state();
  asks_without("a").state();
  lines.clear();
  refuses("d");
  asks_without("b");
  EXPECT_EQ(lines.back(), "choose backend=a outstanding=1 fewest=1 of [a=1 b=1:excluded c=1]");
  asks_without("b");
  EXPECT_EQ(lines.back(), "choose backend=c outstanding=1 fewest=1 of [a=2:full b=1:excluded c=1]");
}

TEST_F(TraceTest, EveryChoiceIsOneOfTheFewestAlsoForThoseInLine) {
  options.max_outstanding = 5;
  options.waits_for_backends = true;
  backends("a b c");
  picks(40);
  backends("a b c d e f");
  drains("a");
  backends("b d e f g", 1);
  drains("b");
  picks(10);
  ASSERT_GT(lines.size(), 30U);
  for (const std::string& line : lines) {
    EXPECT_EQ(number(line, " outstanding="), number(line, " fewest=")) << line;
    EXPECT_EQ(number(line, " fewest="), fewest_of_list(line)) << line;
  }
}

TEST_F(TraceTest, NothingIsWrittenAboveDebug) {
  set_log_sink(this, LogLevel::info);
  ready_backends("a");
  asks();
  EXPECT_TRUE(lines.empty());
}

}  // namespace
}  // namespace weir
