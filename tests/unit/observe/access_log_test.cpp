#include "lb/observe/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include "lb/observe/json_text.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1000s};
// The wall clock shows 2026-11-22T04:51:07.412Z at kStart.
const WallTime kWall(1'795'323'067'412ms - 1000s);

ExchangeReport streamed() {
  ExchangeReport report;
  report.accepted = kStart;
  report.leased = kStart + 3100us;
  report.connected = report.leased;
  report.first_byte = kStart + 5ms;
  report.first_event = kStart + 212400us;
  report.last_event = kStart + 2712400us;
  report.ended = kStart + 2713ms;
  report.longest_gap = 88ms;
  report.request_id = "id-1";
  report.client = "10.1.2.3";
  report.method = "POST";
  report.path = "/v1/chat/completions";
  report.pool = "llama";
  report.model = "m";
  report.backend = "n01-0";
  report.finish_reason = "stop";
  report.bytes_in = 14211;
  report.bytes_out = 66120;
  report.events = 26;
  report.tokens_in = 3021;
  report.tokens_out = 26;
  report.status = 200;
  report.attempts = 1;
  report.is_stream = true;
  return report;
}

std::string line(const ExchangeReport& report) {
  std::string out;
  append_access_line(out, report, kWall);
  return out;
}

TEST(AccessLogTest, HasEveryKeyInItsOrder) {
  EXPECT_EQ(
      line(streamed()),
      R"({"ts":"2026-11-22T04:51:07.412Z","id":"id-1","client":"10.1.2.3","method":"POST",)"
      R"("path":"/v1/chat/completions","pool":"llama","model":"m","backend":"n01-0","attempts":1,)"
      R"("status":200,"stream":true,"finish":"stop","queue_ms":3.100,"connect_ms":0.000,)"
      R"("ttfb_ms":1.900,)"
      R"("ttft_ms":212.400,"tpot_ms":100.000,"itl_max_ms":88.000,"total_ms":2713.000,)"
      R"("tok_in":3021,)"
      R"("tok_out":26,"bytes_in":14211,"bytes_out":66120,"reason":null})");
}

TEST(AccessLogTest, WhatNeverHappenedIsNull) {
  ExchangeReport report;
  report.accepted = kStart;
  report.ended = kStart + 30s;
  report.has_error = true;
  report.error.kind = ErrorKind::queue_timeout;
  report.status = 503;
  const std::string text = line(report);
  for (const char* part :
       {R"("backend":null)", R"("queue_ms":30000.000)", R"("connect_ms":null)", R"("ttfb_ms":null)",
        R"("ttft_ms":null)", R"("tok_in":null)", R"("reason":"queue_timeout")"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(AccessLogTest, AnErrorEventInAStreamIsAReason) {
  ExchangeReport report = streamed();
  report.has_stream_error = true;
  EXPECT_NE(line(report).find(R"("reason":"stream_error")"), std::string::npos);
}

TEST(JsonStringTest, EscapesAndReplaces) {
  const auto text = [](std::string_view in, size_t most = kNoCut) {
    std::string out;
    append_json_string(out, in, most);
    return out;
  };
  EXPECT_EQ(text("a\"b\\c\n\x01\x7f"), R"("a\"b\\c\n\u0001\u007f")");
  EXPECT_EQ(text("\xc3\xa4\xf0\x9f\x98\x80"), "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  EXPECT_EQ(text("\xff\xc3"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(text("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  EXPECT_EQ(text("\xc0\xaf"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(text("abcdef", 3), "\"abc\"");
  EXPECT_EQ(text("ab\xc3\xa4", 3), "\"ab\"");  // a character is not cut in two
}

// Whatever bytes come in, the line has no raw control character, no bare quote, and is not much
// longer than its bounds.
TEST(AccessLogTest, StaysOneBoundedLineWhateverAClientSends) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string junk(random() % 4000, '\0');
    for (char& c : junk) c = static_cast<char>(random());
    ExchangeReport report = streamed();
    report.path = report.model = report.request_id = report.client = report.method =
        report.backend = junk;
    const std::string text = line(report);
    EXPECT_LT(text.size(), 32U * 1024);
    for (const char c : text) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
    size_t quotes = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        ++quotes;
      }
    }
    EXPECT_EQ(quotes % 2, 0U);
  }
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

struct Bell {
  void ring() { ++rings; }
  int rings = 0;
};

class LineOutputTest : public testing::Test {
 protected:
  LineOutputTest() { std::filesystem::create_directory(directory_); }
  ~LineOutputTest() override { std::filesystem::remove_all(directory_); }
  void say(LineOutput& output, std::string_view text) { output.add(text); }

  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("weir_lines_" + std::to_string(::getpid()));
  Bell bell_;
};

TEST_F(LineOutputTest, WritesWhenAskedAndSaysWhenSomethingWaits) {
  LineOutput output(-1);
  output.set_on_pending(bind<&Bell::ring>(&bell_));
  ASSERT_TRUE(output.open(directory_ / "a"));
  say(output, "one");
  say(output, "two");
  EXPECT_EQ(bell_.rings, 1);
  EXPECT_EQ(content(directory_ / "a"), "");
  EXPECT_TRUE(output.flush());
  EXPECT_EQ(content(directory_ / "a"), "one\ntwo\n");
  say(output, "three");
  EXPECT_EQ(bell_.rings, 2);
}

TEST_F(LineOutputTest, GoesOnInANewFileAfterRotation) {
  LineOutput output(-1);
  ASSERT_TRUE(output.open(directory_ / "a"));
  say(output, "one");
  output.flush();
  std::filesystem::rename(directory_ / "a", directory_ / "a.1");
  ASSERT_TRUE(output.reopen());
  say(output, "two");
  output.flush();
  EXPECT_EQ(content(directory_ / "a.1"), "one\n");
  EXPECT_EQ(content(directory_ / "a"), "two\n");
}

TEST_F(LineOutputTest, AFileThatCannotBeWrittenIsAProblem) {
  LineOutput output(-1);
  const auto opened = output.open(directory_ / "no/such/a");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("No such file or directory"), std::string::npos);
}

TEST_F(LineOutputTest, AFullPipeIsNotWaitedForAndOnlyWholeLinesAreDropped) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  LineOutput output(ends[1]);
  const std::string text(1000, 'x');
  for (int i = 0; i < 6000; ++i) say(output, text);
  EXPECT_FALSE(output.flush());
  EXPECT_GT(output.dropped(), 0U);
  std::string read;
  std::array<char, 65536> piece{};
  while (read.size() < (6000 - output.dropped()) * 1001) {
    const ssize_t count = ::read(ends[0], piece.data(), piece.size());
    ASSERT_GT(count, 0);
    read.append(piece.data(), static_cast<size_t>(count));
    output.flush();
  }
  EXPECT_EQ(read.size() % 1001, 0U);
  EXPECT_EQ(read.substr(0, 1001), text + "\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(WallTimeTest, ShowsUtcWithMilliseconds) {
  std::string out;
  WallTime(0ns).append_utc(out, TimePoint{});
  EXPECT_EQ(out, "1970-01-01T00:00:00.000Z");
  out.clear();
  WallTime(0ns).append_utc(out, TimePoint{1709210096789ms});
  EXPECT_EQ(out, "2024-02-29T12:34:56.789Z");
}

}  // namespace
}  // namespace weir
