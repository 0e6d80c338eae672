#include "bench/mock/fault.h"

#include <gtest/gtest.h>

#include "bench/mock/mock_options.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

Fault parse(std::string_view text, FaultPlace place = FaultPlace::command_line) {
  const Result<Fault, Problem> fault = parse_fault(text, place);
  if (fault) return *fault;
  ADD_FAILURE() << fault.error().what;
  return {};
}

Problem problem(std::string_view text, FaultPlace place = FaultPlace::command_line) {
  const Result<Fault, Problem> fault = parse_fault(text, place);
  return fault ? Problem{"no problem: " + to_string(*fault), {}} : fault.error();
}

TEST(FaultTest, IsAKindAlone) {
  EXPECT_EQ(parse("abort").kind, FaultKind::abort);
  EXPECT_EQ(parse("500").kind, FaultKind::http_500);
  EXPECT_EQ(parse("never_ready").kind, FaultKind::never_ready);
  EXPECT_EQ(parse("none").kind, FaultKind::none);
}

TEST(FaultTest, StrikesAfterSoManyTokens) {
  EXPECT_EQ(parse("die_mid_stream:20").tokens, 20u);
  EXPECT_EQ(parse("reset_mid_stream:0").tokens, 0u);
}

TEST(FaultTest, StrikesSoManyRequests) {
  EXPECT_EQ(parse("503:2").count, 2u);
}

TEST(FaultTest, TakesADuration) {
  EXPECT_EQ(parse("slow_start:2s").delay, 2s);
  EXPECT_EQ(parse("close_idle_at_once:50ms").delay, 50ms);
  EXPECT_EQ(parse("close_idle_at_once").delay, 0s);
}

TEST(FaultTest, HangsWhereItIsTold) {
  EXPECT_EQ(parse("hang").kind, FaultKind::hang_in_prefill);
  EXPECT_EQ(parse("hang:in_prefill").kind, FaultKind::hang_in_prefill);
  EXPECT_EQ(parse("hang:health").kind, FaultKind::hang_health);
  const Fault fault = parse("hang:mid_stream:7");
  EXPECT_EQ(fault.kind, FaultKind::hang_mid_stream);
  EXPECT_EQ(fault.tokens, 7u);
}

TEST(FaultTest, AnUnknownKindIsAnsweredWithTheKindsThereAre) {
  const Problem unknown = problem("explode");
  EXPECT_EQ(unknown.what, "fault \"explode\": no such kind");
  EXPECT_NE(unknown.help.find("die_mid_stream"), std::string::npos);
  EXPECT_EQ(unknown.help.find("term:hang"), std::string::npos);
  EXPECT_EQ(problem("diex").what, "fault \"diex\": no such kind");
  EXPECT_EQ(problem("").what, "fault \"\": no such kind");
}

TEST(FaultTest, SaysWhatIsWrongWithTheWhen) {
  EXPECT_EQ(problem("die_mid_stream:soon").what,
            "fault \"die_mid_stream\": \"soon\" is no number of tokens");
  EXPECT_EQ(problem("die_mid_stream:-1").help, "write die_mid_stream:N, as in die_mid_stream:5");
  EXPECT_EQ(problem("500:").what, "fault \"500\": \"\" is no number of requests");
  EXPECT_EQ(problem("slow_start").what, "fault \"slow_start\" needs a duration");
  EXPECT_EQ(problem("slow_start:2x").what, "fault \"slow_start\": \"2x\" is no duration");
  EXPECT_EQ(problem("never_ready:3").what,
            "fault \"never_ready\" takes nothing behind it, got \"3\"");
  EXPECT_EQ(problem("hang:sometimes").what,
            "fault \"hang\" takes nothing behind it, got \"sometimes\"");
}

TEST(FaultTest, IsOnlyTakenWhereItMakesSense) {
  EXPECT_EQ(problem("never_ready", FaultPlace::request_header).what,
            "fault \"never_ready\" makes no sense here");
  EXPECT_EQ(problem("term:hang", FaultPlace::request_header).help, "send it with POST /mock/fault");
  EXPECT_EQ(problem("die_at_start", FaultPlace::admin).help,
            "give it with --fault, when the server is started");
  EXPECT_EQ(parse("term:hang", FaultPlace::admin).kind, FaultKind::term_hang);
  EXPECT_EQ(parse("abort:2", FaultPlace::request_header).tokens, 2u);
}

TEST(FaultTest, IsWrittenAsItWasRead) {
  for (const char* text : {"none", "503:2", "500", "die_mid_stream:20", "hang:mid_stream:7",
                           "hang:health", "abort:3"}) {
    EXPECT_EQ(to_string(parse(text)), text);
  }
  EXPECT_EQ(to_string(parse("slow_start:2s")), "slow_start:2000000us");
  EXPECT_EQ(to_string(parse("hang")), "hang:in_prefill");
}

TEST(MockDurationTest, IsANumberAndAUnit) {
  EXPECT_EQ(*parse_mock_duration("250us"), 250us);
  EXPECT_EQ(*parse_mock_duration("80ms"), 80ms);
  EXPECT_EQ(*parse_mock_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_mock_duration("2m"), 2min);
  EXPECT_EQ(*parse_mock_duration("0"), 0s);
  EXPECT_EQ(*parse_mock_duration("3"), 3s);
}

TEST(MockDurationTest, RefusesWhatIsNone) {
  for (const char* text : {"", "s", "1 s", "-1s", "1e99s", "nan", "inf", "1d", "1s2"}) {
    EXPECT_FALSE(parse_mock_duration(text)) << text;
  }
}

TEST(OnTermTest, KnowsFourWays) {
  EXPECT_EQ(*parse_on_term("abort"), OnTerm::abort);
  EXPECT_EQ(*parse_on_term("drain"), OnTerm::drain);
  EXPECT_EQ(*parse_on_term("hang"), OnTerm::hang);
  EXPECT_EQ(*parse_on_term("exit"), OnTerm::exit);
  EXPECT_EQ(parse_on_term("wait").error().help, "use abort, drain, hang or exit");
}

}  // namespace
}  // namespace weir
