// What the pretend vLLM writes, held against what the real one wrote (vLLM 0.32.0, captured on the
// wire).
#include <gtest/gtest.h>

#include "bench/mock/event_text.h"
#include "bench/mock/http_text.h"
#include "bench/mock/inference_request.h"
#include "bench/mock/routes.h"

namespace weir {
namespace {

AnswerHead head(bool is_chat, const char* id) {
  return {.id = id,
          .model = "tiny",
          .fingerprint = "vllm-0.32.0-07a8e66b",
          .created = 1795351069,
          .is_chat = is_chat};
}

TEST(EventTextTest, WritesTheEventsOfAChatAsVllmDoes) {
  EventText events(head(true, "chatcmpl-a463a9b1b290c84e"));
  std::string out;
  events.append_role(out, 0, nullptr);
  EXPECT_EQ(
      out,
      "101\r\ndata: "
      "{\"id\":\"chatcmpl-a463a9b1b290c84e\",\"object\":\"chat.completion.chunk\",\"created\":"
      "1795351069,"
      "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
      "\"\"},\"logprobs\":"
      "null,\"finish_reason\":null}],\"prompt_token_ids\":null,\"prompt_text\":null}\n\n\r\n");
  out.clear();
  events.append_token(out, 0, " might", nullptr);
  EXPECT_EQ(out,
            "da\r\ndata: "
            "{\"id\":\"chatcmpl-a463a9b1b290c84e\",\"object\":\"chat.completion.chunk\","
            "\"created\":1795351069,"
            "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
            "might\"},\"logprobs\":null,"
            "\"finish_reason\":null,\"token_ids\":null}]}\n\n\r\n");
  out.clear();
  events.append_last(out, 0, " sin", "length", true, nullptr);
  EXPECT_EQ(out,
            "11b\r\ndata: "
            "{\"id\":\"chatcmpl-a463a9b1b290c84e\",\"object\":\"chat.completion.chunk\","
            "\"created\":1795351069,"
            "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
            "sin\"},\"logprobs\":null,"
            "\"finish_reason\":\"length\",\"stop_reason\":null,\"token_ids\":null}],\"system_"
            "fingerprint\":"
            "\"vllm-0.32.0-07a8e66b\"}\n\n\r\n");
}

TEST(EventTextTest, WritesUsageAsVllmDoes) {
  EventText events(head(true, "chatcmpl-aea8723eac916c76"));
  std::string out;
  const TokenUsage before{7, 0};
  events.append_role(out, 0, &before);
  EXPECT_EQ(out,
            "165\r\ndata: "
            "{\"id\":\"chatcmpl-aea8723eac916c76\",\"object\":\"chat.completion.chunk\","
            "\"created\":1795351069,"
            "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
            "\"content\":\"\"},\"logprobs\":"
            "null,\"finish_reason\":null}],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7,"
            "\"completion_tokens\":0,"
            "\"completion_tokens_details\":null},\"prompt_token_ids\":null,\"prompt_text\":null}"
            "\n\n\r\n");
  out.clear();
  const TokenUsage all{7, 4};
  events.append_last(out, 0, " bal", "length", false, &all);
  EXPECT_EQ(
      out,
      "154\r\ndata: "
      "{\"id\":\"chatcmpl-aea8723eac916c76\",\"object\":\"chat.completion.chunk\",\"created\":"
      "1795351069,"
      "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
      "bal\"},\"logprobs\":null,"
      "\"finish_reason\":\"length\",\"stop_reason\":null,\"token_ids\":null}],\"usage\":{\"prompt_"
      "tokens\":7,"
      "\"total_tokens\":11,\"completion_tokens\":4,\"completion_tokens_details\":null}}\n\n\r\n");
  out.clear();
  events.append_usage(out, all);
  EXPECT_EQ(out,
            "ec\r\ndata: "
            "{\"id\":\"chatcmpl-aea8723eac916c76\",\"object\":\"chat.completion.chunk\","
            "\"created\":1795351069,"
            "\"model\":\"tiny\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":11,"
            "\"completion_tokens\":4},"
            "\"system_fingerprint\":\"vllm-0.32.0-07a8e66b\"}\n\n\r\n");
}

TEST(EventTextTest, WritesTheEventsOfACompletionAsVllmDoes) {
  EventText events(head(false, "cmpl-a24e6d9b04873c66"));
  std::string out;
  events.append_token(out, 0, " matrix", nullptr);
  EXPECT_EQ(out,
            "ef\r\ndata: "
            "{\"id\":\"cmpl-a24e6d9b04873c66\",\"object\":\"text_completion\",\"created\":"
            "1795351069,\"model\":"
            "\"tiny\",\"choices\":[{\"index\":0,\"text\":\" "
            "matrix\",\"logprobs\":null,\"finish_reason\":null,"
            "\"stop_reason\":null,\"prompt_token_ids\":null,\"token_ids\":null}]}\n\n\r\n");
  out.clear();
  events.append_last(out, 0, " sign", "length", true, nullptr);
  EXPECT_EQ(out.substr(0, 3), "11d");
}

TEST(EventTextTest, TheFixedChunksHaveTheRightSizes) {
  for (const std::string_view chunk : {kDoneChunk, kEngineErrorChunk}) {
    const size_t line = chunk.find("\r\n");
    std::string made;
    append_chunk(made, chunk.substr(line + 2, chunk.size() - line - 4));
    EXPECT_EQ(made, chunk);
  }
}

TEST(AnswerBodyTest, IsThatOfVllmForAChat) {
  std::string choices;
  append_choice(choices, true, {0, " might whil how bal", "length"});
  EXPECT_EQ(answer_body(head(true, "chatcmpl-8c111b5fba151078"), choices, {7, 4}),
            R"({"id":"chatcmpl-8c111b5fba151078","object":"chat.completion","created":1795351069,)"
            R"("model":"tiny","choices":)"
            R"([{"index":0,"message":{"role":"assistant","content":" might whil how bal",)"
            R"("refusal":null,"annotations":null,)"
            R"("audio":null,"function_call":null,"reasoning":null},"logprobs":null,)"
            R"("finish_reason":"length","stop_reason":)"
            R"(null,"token_ids":null,"routed_experts":null}],"service_tier":null,)"
            R"("system_fingerprint":"vllm-0.32.0-07a8e66b",)"
            R"("usage":{"prompt_tokens":7,"total_tokens":11,"completion_tokens":4,)"
            R"("prompt_tokens_details":null,)"
            R"("completion_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,)"
            R"("prompt_text":null,)"
            R"("kv_transfer_params":null,"ec_transfer_params":null,"metrics":null})");
}

TEST(AnswerBodyTest, IsThatOfVllmForACompletion) {
  std::string choices;
  append_choice(choices, false, {0, " ne only memory", "length"});
  EXPECT_EQ(
      answer_body(head(false, "cmpl-ac0c07764eefb5d0"), choices, {3, 3}),
      R"({"id":"cmpl-ac0c07764eefb5d0","object":"text_completion","created":1795351069,)"
      R"("model":"tiny","choices":)"
      R"([{"index":0,"text":" ne only memory","logprobs":null,"finish_reason":"length",)"
      R"("stop_reason":null,"token_ids":)"
      R"(null,"prompt_logprobs":null,"prompt_token_ids":null,"routed_experts":null}],)"
      R"("service_tier":null,)"
      R"("system_fingerprint":"vllm-0.32.0-07a8e66b","usage":{"prompt_tokens":3,)"
      R"("total_tokens":6,"completion_tokens":3,)"
      R"("prompt_tokens_details":null,"completion_tokens_details":null},"kv_transfer_params":null,)"
      R"("ec_transfer_params":null,"metrics":null})");
}

constexpr std::string_view kDate = "Sun, 22 Nov 2026 12:44:15 GMT";

TEST(HttpTextTest, TheDateIsThatOfTheSecond) {
  HttpDate date;
  EXPECT_EQ(date.at(1795351455), kDate);
  EXPECT_EQ(date.at(1795351456), "Sun, 22 Nov 2026 12:44:16 GMT");
}

TEST(HttpTextTest, HeadsHaveUvicornsOrder) {
  EXPECT_EQ(plain_head({.body = std::string(701, 'x')}, kDate),
            "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 12:44:15 GMT\r\nserver: "
            "uvicorn\r\ncontent-length: 701\r\n"
            "content-type: application/json\r\nvary: Origin\r\n\r\n");
  EXPECT_EQ(plain_head({.content_type = {}}, kDate),
            "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 12:44:15 GMT\r\nserver: "
            "uvicorn\r\ncontent-length: 0\r\n"
            "vary: Origin\r\n\r\n");
  EXPECT_EQ(
      stream_head(true, kDate),
      "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 12:44:15 GMT\r\nserver: uvicorn\r\ncontent-type: "
      "text/event-stream; charset=utf-8\r\nvary: Origin\r\nconnection: close\r\ntransfer-encoding: "
      "chunked\r\n\r\n");
}

MockRequest request(std::string method, std::string target) {
  MockRequest out;
  out.method = std::move(method);
  out.target = std::move(target);
  out.host = "127.0.0.1";
  return out;
}

TEST(RoutesTest, RefuseAWrongMethodWithTheRightOne) {
  const RouteMatch match = match_route(request("HEAD", "/health"));
  EXPECT_EQ(match.route, MockRoute::refused);
  EXPECT_EQ(plain_head(match.refusal, kDate),
            "HTTP/1.1 405 Method Not Allowed\r\ndate: Sun, 22 Nov 2026 12:44:15 GMT\r\nserver: "
            "uvicorn\r\nallow: GET\r\n"
            "content-length: 31\r\ncontent-type: application/json\r\nvary: Origin\r\n\r\n");
}

TEST(RoutesTest, LeadATrailingSlashToThePathWithout) {
  const RouteMatch match = match_route(request("POST", "/v1/chat/completions/"));
  EXPECT_EQ(plain_head(match.refusal, kDate),
            "HTTP/1.1 307 Temporary Redirect\r\ndate: Sun, 22 Nov 2026 12:44:15 GMT\r\nserver: "
            "uvicorn\r\n"
            "content-length: 0\r\nlocation: http://127.0.0.1/v1/chat/completions\r\nvary: "
            "Origin\r\n\r\n");
}

TEST(RoutesTest, DoNotKnowOtherPaths) {
  for (const char* path :
       {"/v1/chat/completion", "//v1/chat/completions", "/", "/v1/models/tiny", "/nope/"}) {
    const RouteMatch match = match_route(request("POST", path));
    EXPECT_EQ(match.refusal.status, 404) << path;
    EXPECT_EQ(match.refusal.body, R"({"detail":"Not Found"})");
  }
  EXPECT_EQ(match_route(request("POST", "/v1/completions?x=/")).route, MockRoute::completions);
}

TEST(RoutesTest, TheKeyIsAskedForWhereVllmAsksForIt) {
  EXPECT_TRUE(is_guarded("/v1/models"));
  EXPECT_FALSE(is_guarded("/health"));
  EXPECT_FALSE(is_guarded("/tokenize"));
  EXPECT_TRUE(has_key("Bearer secret", "secret"));
  EXPECT_FALSE(has_key("Bearer secret2", "secret"));
  EXPECT_FALSE(has_key("secret", "secret"));
}

}  // namespace
}  // namespace weir
