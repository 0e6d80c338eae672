#include "bench/mock/inference_request.h"

#include <gtest/gtest.h>

#include "bench/mock/answer_text.h"

namespace weir {
namespace {

constexpr ModelLimits kLimits{"tiny", 32768};

InferenceRequest chat(std::string_view body) {
  const Result<InferenceRequest, ApiError> request = parse_inference(body, true, kLimits);
  if (request) return *request;
  ADD_FAILURE() << request.error().message;
  return {};
}

std::string refusal(std::string_view body, bool is_chat = true) {
  const Result<InferenceRequest, ApiError> request = parse_inference(body, is_chat, kLimits);
  return request ? "taken" : request.error().body();
}

TEST(InferenceRequestTest, AChatIsTheTextOfItsMessages) {
  const InferenceRequest request =
      chat(R"({"model":"tiny","messages":[{"role":"system","content":"be short"},{"role":"user",)"
           R"("content":[{"type":"text","text":"hel"},{"type":"image_url"},)"
           R"({"type":"text","text":"lo"}]}],"max_tokens":5})");
  ASSERT_EQ(request.prompts.size(), 1u);
  EXPECT_EQ(request.prompts[0].key, prompt_key("be short\nhello"));
  EXPECT_EQ(request.max_tokens, 5u);
  EXPECT_FALSE(request.is_stream);
}

TEST(InferenceRequestTest, AHelloHasSevenTokensAsInTheRealOne) {
  EXPECT_EQ(chat(R"({"messages":[{"role":"user","content":"hello"}]})").prompts[0].tokens, 7u);
}

TEST(InferenceRequestTest, KnowsTheOptionsOfAStream) {
  const std::string start = R"({"messages":[{"role":"user","content":"x"}],"stream":true)";
  EXPECT_TRUE(chat(start + "}").is_stream);
  EXPECT_FALSE(chat(start + "}").wants_usage);
  EXPECT_TRUE(chat(start + R"(,"stream_options":{"include_usage":true}})").wants_usage);
  EXPECT_TRUE(
      chat(start + R"(,"stream_options":{"include_usage":true,"continuous_usage_stats":true}})")
          .wants_usage_always);
  EXPECT_FALSE(
      chat(start + R"(,"stream_options":{"continuous_usage_stats":true}})").wants_usage_always);
}

TEST(InferenceRequestTest, MaxCompletionTokensIsMaxTokens) {
  EXPECT_EQ(chat(R"({"messages":[{"content":"x"}],"max_completion_tokens":9})").max_tokens, 9u);
}

TEST(InferenceRequestTest, CompletionsTakeTextsAndTokenIdsAndListsOfThem) {
  const auto count = [](std::string_view body) {
    const Result<InferenceRequest, ApiError> request = parse_inference(body, false, kLimits);
    return request ? request->prompts.size() : 0;
  };
  EXPECT_EQ(count(R"({"prompt":"the river"})"), 1u);
  EXPECT_EQ(count(R"({"prompt":[5,300,301]})"), 1u);
  EXPECT_EQ(count(R"({"prompt":["a","b","c"]})"), 3u);
  EXPECT_EQ(count(R"({"prompt":[[1,2],[3]]})"), 2u);
  EXPECT_EQ(parse_inference(R"({"prompt":[5,300,301]})", false, kLimits)->prompts[0].tokens, 3u);
  EXPECT_EQ(parse_inference(R"({"prompt":"x"})", false, kLimits)->max_tokens, 16u);
}

TEST(InferenceRequestTest, RefusesInTheWordsOfVllm) {
  EXPECT_EQ(refusal(R"({"model":"nope","messages":[{"content":"x"}]})"),
            R"({"error":{"message":"The model `nope` does not exist. Valid aliases: tiny.",)"
            R"("type":"NotFoundError",)"
            R"("param":"model","code":404}})");
  EXPECT_EQ(
      refusal(R"({"model":"tiny"})"),
      R"({"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': 'body.messages',)"
      R"( 'msg': )"
      R"('Field required', 'input': '<dict of 1 items>'}","type":"Bad Request",)"
      R"("param":"body.messages","code":400}})");
  EXPECT_EQ(refusal(R"({"messages":[]})"),
            R"({"error":{"message":"Cannot apply chat template to an empty conversation. )"
            R"(Provide at least one message.",)"
            R"("type":"BadRequestError","param":null,"code":400}})");
  EXPECT_EQ(
      refusal(R"({"messages":[{"content":"x"}],"max_tokens":0})"),
      R"x({"error":{"message":"max_tokens must be at least 1, got 0. (parameter=max_tokens, )x"
      R"x(value=0)","type":"BadRequestError","param":"max_tokens","code":400}})x");
  EXPECT_EQ(refusal(R"({"messages":[{"content":"x"}],"max_tokens":1000000})"),
            R"x({"error":{"message":"max_tokens=1000000 cannot be greater than )x"
            R"x(max_model_len=32768. Please )x"
            R"x(request fewer output tokens. (parameter=max_tokens, value=1000000)","type":)x"
            R"x("BadRequestError","param":"max_tokens","code":400}})x");
  EXPECT_EQ(
      refusal(R"({"prompt":[7,99999999]})", false),
      R"({"error":{"message":"Token id 99999999 is out of vocabulary","type":"BadRequestError",)"
      R"("param":null,)"
      R"("code":400}})");
  EXPECT_EQ(busy_error().body().size(), 188u);
}

TEST(InferenceRequestTest, RefusesPromptsBeyondTheContext) {
  std::string ids = "7";
  for (int i = 1; i < 40000; ++i) ids += ",7";
  const std::string text = refusal("{\"prompt\":[" + ids + "]}", false);
  EXPECT_NE(text.find("your prompt contains 40000 input tokens"), std::string::npos) << text;
}

TEST(InferenceRequestTest, SurvivesBodiesThatMakeNoSense) {
  for (const char* body :
       {"", "{", "[]", "7", "null", "\xff\xfe", R"({"messages":7})", R"({"messages":[7]})",
        R"({"messages":[{"content":"x"}],"n":-1})", R"({"messages":[{"content":"x"}],"n":100000})",
        R"({"messages":[{"content":"x"}],"max_tokens":"5"})",
        R"({"messages":[{"content":"x"}],"model":5})",
        R"({"messages":[{"content":"x"}],"temperature":-1})"}) {
    EXPECT_EQ(refusal(body).substr(0, 9), "{\"error\":") << body;
  }
  for (const char* body : {R"({"prompt":[]})", R"({"prompt":{}})", R"({"prompt":[{}]})",
                           R"({"prompt":[1,"a"]})", R"({"prompt":[-1]})", R"({"prompt":null})"}) {
    EXPECT_EQ(refusal(body, false).substr(0, 9), "{\"error\":") << body;
  }
}

TEST(AnswerTextTest, FollowsFromThePromptAlone) {
  EXPECT_EQ(prompt_key(""), 0xcbf29ce484222325u);
  EXPECT_EQ(prompt_key("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(answer_text(prompt_key("hello"), 0, 4), " river cold reach which");
  EXPECT_NE(answer_text(prompt_key("hello"), 1, 8), answer_text(prompt_key("hello"), 0, 8));
  EXPECT_NE(answer_text(prompt_key("hellp"), 0, 8), answer_text(prompt_key("hello"), 0, 8));
}

TEST(FaultOrderTest, IsAnObjectOrTheBareText) {
  EXPECT_EQ(parse_fault_order("die\n")->fault, "die");
  const Result<FaultOrder, ApiError> order = parse_fault_order(R"({"fault":"503","count":2})");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->fault, "503");
  EXPECT_EQ(order->count, 2u);
  EXPECT_FALSE(parse_fault_order(R"({"fault":5})"));
  EXPECT_FALSE(parse_fault_order("{"));
}

}  // namespace
}  // namespace weir
