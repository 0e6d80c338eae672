#include "bench/engine/work.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "bench/engine/answer_text_look.h"
namespace weir {
namespace {

using Tokens = std::vector<int>;

std::string body_of(const Work& work, uint32_t session, uint32_t turn = 0,
                    std::string history = {}) {
  std::string body;
  work.write_body(work.plan(session, turn), &history, &body);
  return body;
}

bool has(const std::string& body, std::string_view text) {
  return body.find(text) != body.npos;
}

size_t words_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count(text, ' ')) + 1;
}

// "prompt":[1,2,3]
Tokens tokens_of(const std::string& body) {
  Tokens tokens;
  const size_t begin = body.find("\"prompt\":[") + 10;
  std::string_view rest = std::string_view(body).substr(begin, body.find(']', begin) - begin);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    tokens.push_back(std::stoi(std::string(rest.substr(0, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return tokens;
}

WorkOptions with(uint32_t input, uint32_t output) {
  WorkOptions options;
  options.model = "a \"model\"";
  options.input.a = input;
  options.output.a = output;
  return options;
}

TEST(WorkTest, AChatRequestAsksForAStreamWithUsageAndTheWholeLength) {
  const std::string body = body_of(Work(with(20, 30)), 0);
  EXPECT_TRUE(body.starts_with(R"({"model":"a \"model\"","messages":[{"role":"user","content":")"));
  EXPECT_EQ(words_of(json_string_of(body, "content")), 20U);
  EXPECT_TRUE(body.ends_with(R"(}],"stream":true,"stream_options":{"include_usage":true},)"
                             R"("max_tokens":30,"ignore_eos":true})"));
}

TEST(WorkTest, CompletionsAreExactlySoManyTokenIds) {
  WorkOptions options = with(1000, 5);
  options.is_chat = false;
  options.prefix_tokens = 100;
  EXPECT_EQ(tokens_of(body_of(Work(options), 3)).size(), 1100U);
}

TEST(WorkTest, EqualSeedsMakeEqualRequestsAndOthersDoNot) {
  WorkOptions options = with(50, 5);
  const std::string first = body_of(Work(options), 7);
  EXPECT_EQ(first, body_of(Work(options), 7));
  EXPECT_NE(first, body_of(Work(options), 8));
  options.seed = 1;
  EXPECT_NE(first, body_of(Work(options), 7));
}

TEST(WorkTest, RequestsOfAGroupShareTheirPrefixAndNothingElse) {
  WorkOptions options = with(50, 5);
  options.is_chat = false;
  options.prefix_tokens = 40;
  options.prefix_groups = 2;
  const Work work(options);
  std::set<Tokens> prefixes;
  std::set<Tokens> rests;
  for (uint32_t i = 0; i < 20; ++i) {
    const Tokens prompt = tokens_of(body_of(work, i));
    prefixes.emplace(prompt.begin(), prompt.begin() + 40);
    rests.emplace(prompt.begin() + 40, prompt.end());
  }
  EXPECT_EQ(prefixes.size(), 2U);
  EXPECT_EQ(rests.size(), 20U);
}

TEST(WorkTest, TheTokensOfTheTemplateAreTakenOff) {
  WorkOptions options = with(100, 5);
  options.chat_overhead = 12;
  EXPECT_EQ(words_of(json_string_of(body_of(Work(options), 0), "content")), 88U);
}

TEST(WorkTest, ATurnBringsTheConversationSoFar) {
  WorkOptions options = with(5, 5);
  options.turns = 2;
  const Work work(options);
  std::string history;
  std::string first;
  work.write_body(work.plan(0, 0), &history, &first);
  const std::string said = history;
  Work::add_answer(R"(so \"it\" is)", &history);
  const std::string second = body_of(work, 0, 1, history);
  EXPECT_TRUE(has(first, "\"messages\":[" + said + "]"));
  EXPECT_TRUE(has(second, "\"messages\":[" + said +
                              R"(,{"role":"assistant","content":"so \"it\" is"},{"role":"user",)"));
}

TEST(WorkTest, GivenMembersReplaceOurs) {
  WorkOptions options = with(5, 5);
  options.extra = {{"temperature", "0.7"}, {"ignore_eos", "null"}, {"max_tokens", "9"}};
  const std::string body = body_of(Work(options), 0);
  EXPECT_TRUE(has(body, R"("temperature":0.7)"));
  EXPECT_TRUE(has(body, R"("max_tokens":9)"));
  EXPECT_FALSE(has(body, R"("max_tokens":5)"));
  EXPECT_FALSE(has(body, "ignore_eos"));
}

TEST(WorkTest, PromptsOfAFileComeInTurnAndUnchanged) {
  WorkOptions options = with(5, 5);
  options.has_output_length = false;
  options.prompts.resize(2);
  options.prompts[0].text = "say \"a\"\n";
  options.prompts[1].messages = R"({"role":"system","content":"b"})";
  const Work work(options);
  EXPECT_TRUE(has(body_of(work, 0), R"("content":"say \"a\"\u000a")"));
  EXPECT_TRUE(has(body_of(work, 1), R"("messages":[{"role":"system","content":"b"}])"));
  EXPECT_EQ(body_of(work, 2), body_of(work, 0));
  EXPECT_FALSE(has(body_of(work, 0), "max_tokens"));
  EXPECT_EQ(work.plan(0, 0).prompt_tokens, -1);
}

TEST(WorkTest, EqualBlocksOfATraceAreEqualTokens) {
  WorkOptions options = with(5, 5);
  options.is_chat = false;
  options.block_tokens = 4;
  options.trace = {{0, 10, 2, {7, 8, 9}}, {0, 9, 3, {7, 5}}};
  const Work work(options);
  const Tokens first = tokens_of(body_of(work, 0));
  const Tokens second = tokens_of(body_of(work, 1));
  ASSERT_EQ(first.size(), 10U);
  ASSERT_EQ(second.size(), 9U);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 4, second.begin()));
  EXPECT_NE(first[4], second[4]);
  EXPECT_TRUE(has(body_of(work, 1), R"("max_tokens":3)"));
}

}  // namespace
}  // namespace weir
