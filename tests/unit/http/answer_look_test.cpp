#include "lb/http/answer_look.h"

#include <string>

#include <gtest/gtest.h>

namespace weir::http {
namespace {

std::string answer(std::string_view reason, std::string_view usage) {
  return R"({"id":"chatcmpl-1","choices":[{"index":0,"message":{"role":"assistant","content":""},)"
         R"("finish_reason":)" +
         std::string(reason) + R"(}],"usage":)" + std::string(usage) + "}";
}

TEST(AnswerLook, AnAbortIsSeen) {
  EXPECT_TRUE(look_at_answer(answer(R"("abort")", "null")).is_abort);
  EXPECT_FALSE(look_at_answer(answer(R"("stop")", "null")).is_abort);
  EXPECT_FALSE(look_at_answer(answer("null", "null")).is_abort);
}

TEST(AnswerLook, AnAbortOfAnyChoiceIsSeen) {
  EXPECT_TRUE(look_at_answer(R"([{"finish_reason":"stop"},{"finish_reason":"abort"},)"
                             R"({"finish_reason":"stop"}])")
                  .is_abort);
}

TEST(AnswerLook, BlanksAroundTheColonDoNotMatter) {
  const AnswerLook look =
      look_at_answer("{\"finish_reason\" :\t\"abort\",\r\n \"usage\" : {\"prompt_tokens\" : 7}}");
  EXPECT_TRUE(look.is_abort);
  EXPECT_EQ(look.prompt_tokens, 7);
}

TEST(AnswerLook, WordsOfATextAreNoKeys) {
  const AnswerLook look = look_at_answer(
      R"({"content":"{\"finish_reason\":\"abort\",\"usage\":{\"prompt_tokens\":9}}","a":"usage"})");
  EXPECT_FALSE(look.is_abort);
  EXPECT_EQ(look.prompt_tokens, -1);
}

TEST(AnswerLook, KeysThatOnlyEndLikeThemAreOthers) {
  EXPECT_FALSE(look_at_answer(R"({"my_finish_reason":"abort"})").is_abort);
  EXPECT_EQ(look_at_answer(R"({"disusage":{"prompt_tokens":9}})").prompt_tokens, -1);
}

TEST(AnswerLook, TokensAreThoseOfUsage) {
  const AnswerLook look = look_at_answer(
      answer(R"("stop")", R"({"prompt_tokens":120,"total_tokens":125,"completion_tokens":5})"));
  EXPECT_EQ(look.prompt_tokens, 120);
  EXPECT_EQ(look.completion_tokens, 5);
}

TEST(AnswerLook, TheFirstOfADuplicateCounts) {
  const AnswerLook look = look_at_answer(
      answer("null", R"({"prompt_tokens":1,"details":{"prompt_tokens":2},"completion_tokens":3})"));
  EXPECT_EQ(look.prompt_tokens, 1);
  EXPECT_EQ(look.completion_tokens, 3);
}

TEST(AnswerLook, TokensBeforeUsageAreNot) {
  EXPECT_EQ(look_at_answer(R"({"prompt_tokens":4,"usage":null})").prompt_tokens, -1);
}

TEST(AnswerLook, WhatIsNoNumberIsUnknown) {
  const AnswerLook look =
      look_at_answer(answer("null", R"({"prompt_tokens":null,"completion_tokens":"5"})"));
  EXPECT_EQ(look.prompt_tokens, -1);
  EXPECT_EQ(look.completion_tokens, -1);
}

TEST(AnswerLook, AKeyAtAnyPlaceOfABlockIsFound) {
  for (size_t length = 0; length < 40; ++length) {
    const std::string json =
        std::string(length, 'n') + R"("finish_reason":"abort","usage":{"prompt_tokens":3)";
    const AnswerLook look = look_at_answer(json);
    EXPECT_TRUE(look.is_abort) << length;
    EXPECT_EQ(look.prompt_tokens, 3) << length;
  }
}

TEST(AnswerLook, KeysAmongOthersThatBeginLikeThemAreFoundAtAnyPlace) {
  std::string before = "{";
  for (int i = 0; i < 40; ++i) {
    before += i % 2 == 0 ? R"("u":"f",)" : R"("f":"us", )";
    const AnswerLook look = look_at_answer(
        before + R"("finish_reason":"abort","usage":{"p":1,"c":2,"prompt_tokens":3)");
    EXPECT_TRUE(look.is_abort) << i;
    EXPECT_EQ(look.prompt_tokens, 3) << i;
  }
}

TEST(AnswerLook, AnAnswerThatIsCutAnywhereIsHarmless) {
  const std::string json = answer(R"("abort")", R"({"prompt_tokens":1,"completion_tokens":2})");
  for (size_t length = 0; length <= json.size(); ++length) {
    const std::string cut = json.substr(0, length);  // on the heap: a look behind its end is caught
    look_at_answer(cut);
  }
  EXPECT_TRUE(look_at_answer(json).is_abort);
}

}  // namespace
}  // namespace weir::http
