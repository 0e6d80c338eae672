#include "bench/engine/trace.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

Trace read(std::string_view text) {
  return parse_trace(text, TraceFormat::by_look).value();
}

TEST(TraceTest, MooncakeHasMillisecondsAndBlocksOf512) {
  const Trace trace = read(
      "{\"timestamp\": 1000, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, "
      "1]}\n"
      "\n"
      "{\"timestamp\": 3000, \"input_length\": 10, \"output_length\": 7, \"hash_ids\": [0]}\n");
  ASSERT_EQ(trace.items.size(), 2U);
  EXPECT_EQ(trace.block_tokens, 512U);
  EXPECT_EQ(trace.items[0].at_ns, 0);
  EXPECT_EQ(trace.items[1].at_ns, 2000 * kMillisecond);
  EXPECT_EQ(trace.items[0].input_tokens, 6758U);
  EXPECT_EQ(trace.items[0].blocks, (std::vector<uint64_t>{0, 1}));
}

TEST(TraceTest, BailianHasSecondsAndBlocksOf16) {
  const Trace trace = read(
      "{\"chat_id\": 1, \"timestamp\": 61.114, \"input_length\": 5, \"output_length\": 7}\n"
      "{\"chat_id\": 2, \"timestamp\": 61.5, \"input_length\": 5, \"output_length\": 7}\n");
  EXPECT_EQ(trace.block_tokens, 16U);
  EXPECT_EQ(trace.items[1].at_ns, 386 * kMillisecond);
}

TEST(TraceTest, AzureHasDatesAndMayBeOutOfOrder) {
  const Trace trace = read(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:04.0000000,396,109\r\n"
      "2023-11-16 18:17:03.5000000,4808,10\r\n");
  ASSERT_EQ(trace.items.size(), 2U);
  EXPECT_EQ(trace.items[0].input_tokens, 4808U);
  EXPECT_EQ(trace.items[1].at_ns, 500 * kMillisecond);
}

TEST(TraceTest, BurstGptLeavesFailuresOut) {
  const Trace trace = read(
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
      "5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n"
      "118,GPT-4,417,276,693,API log\n");
  ASSERT_EQ(trace.items.size(), 2U);
  EXPECT_EQ(trace.items[1].at_ns, 113'000 * kMillisecond);
  EXPECT_EQ(trace.items[1].output_tokens, 276U);
}

TEST(TraceTest, OurOwnAccessLogIsATrace) {
  const Trace trace =
      read(R"({"ts":"2026-11-22T18:00:00.250Z","id":"a","path":"/v1/x","tok_in":12,"tok_out":34})"
           "\n"
           R"({"ts":"2026-11-22T18:00:00.300Z","id":"b","status":429})"
           "\n"
           R"({"ts":"2026-11-22T18:00:01.000Z","id":"c","tok_in":5,"tok_out":6})");
  ASSERT_EQ(trace.items.size(), 2U);
  EXPECT_EQ(trace.items[1].at_ns, 750 * kMillisecond);
  EXPECT_EQ(trace.items[0].output_tokens, 34U);
}

TEST(TraceTest, AMistakeIsToldWithItsLine) {
  const auto mistake = [](std::string_view text) {
    const Result<Trace, Problem> trace = parse_trace(text, TraceFormat::by_look);
    return trace ? std::string() : trace.error().what;
  };
  EXPECT_EQ(
      mistake("{\"timestamp\":1,\"input_length\":2,\"output_length\":3}\n\n{\"timestamp\":1}"),
      "line 3: there is no \"input_length\" and \"output_length\"");
  EXPECT_EQ(mistake("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,2"),
            "line 2: the time is neither seconds nor date and time");
  EXPECT_EQ(mistake("TIMESTAMP,ContextTokens,GeneratedTokens\n5,1"),
            "line 2: there are too few columns");
  EXPECT_EQ(mistake("a,b,c\n1,2,3"),
            "the first line does not name the columns of Azure's or BurstGPT's trace");
  EXPECT_NE(mistake(""), "");
}

TEST(PromptFileTest, JsonLinesAndPlainTextAreToldApart) {
  const std::vector<PromptItem> plain = parse_prompts("one\n\ntwo words\n").value();
  ASSERT_EQ(plain.size(), 2U);
  EXPECT_EQ(plain[1].text, "two words");
  const std::vector<PromptItem> json =
      parse_prompts(
          "{\"prompt\": \"a\", \"output_tokens\": 7}\n"
          "{\"messages\": [{\"role\": \"user\", \"content\": \"b\"}]}\n"
          "{\"prompt\": [5, 6]}\n\"c\"\n"
          "{\"conversations\": [{\"from\": \"human\", \"value\": \"d\"}]}")
          .value();
  ASSERT_EQ(json.size(), 5U);
  EXPECT_EQ(json[0].output_tokens, 7);
  EXPECT_EQ(json[1].messages, R"({"content":"b","role":"user"})");
  EXPECT_EQ(json[2].prompt_json, "[5,6]");
  EXPECT_EQ(json[3].text, "c");
  EXPECT_EQ(json[4].text, "d");
}

TEST(PromptFileTest, AMistakeIsToldWithItsLine) {
  EXPECT_EQ(parse_prompts("{\"prompt\": \"a\"}\n{\"x\": 1}").error().what,
            "line 2: there is no \"prompt\", \"messages\" or \"conversations\"");
  EXPECT_FALSE(parse_prompts("\n\n"));
}

}  // namespace
}  // namespace weir
