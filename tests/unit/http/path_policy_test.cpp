// Which paths pass, in each mode.
#include "lb/http/path_policy.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

std::string judged(std::string_view path, PathMode mode) {
  const PathVerdict verdict = judge_path(path, mode);
  return verdict.is_allowed ? "passes" : std::string(name(verdict.refusal));
}
std::string inference(std::string_view path) {
  return judged(path, PathMode::inference);
}
std::string all(std::string_view path) {
  return judged(path, PathMode::all);
}

TEST(PathPolicy, InferencePassesWhatTheApiIsFor) {
  for (const char* path :
       {"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages",
        "/v1/embeddings", "/v1/audio/transcriptions", "/rerank", "/v2/rerank", "/score",
        "/tokenize", "/v1/messages/count_tokens", "/v1/models", "/health", "/v1/realtime",
        "/invocations", "/v1/responses/resp_1", "/v1/responses/resp_1/cancel",
        "/v1/chat/completions/render"}) {
    EXPECT_EQ(inference(path), "passes") << path;
  }
}

TEST(PathPolicy, InferenceKnowsNoOtherPath) {
  for (const char* path :
       {"/", "/v1", "/metrics", "/version", "/docs", "/v1/models/x", "/v1/chat/completions/",
        "/V1/chat/completions", "/v1/responses/", "/v1/responses/a/b", "/admin", "*", ""}) {
    EXPECT_EQ(inference(path), "path_unknown") << path;
  }
}

TEST(PathPolicy, EngineControlIsForbiddenInBothModes) {
  for (const char* path :
       {"/scale_elastic_ep", "/v1/load_lora_adapter", "/adapters", "/adapters/x", "/sleep",
        "/wake_up", "/collective_rpc", "/update_weights", "/start_profile", "/abort_requests",
        "/reset_prefix_cache", "/server_info", "/inference/v1/abort_requests"}) {
    EXPECT_EQ(inference(path), "path_not_allowed") << path;
    EXPECT_EQ(all(path), "path_not_allowed") << path;
    EXPECT_EQ(judged(path, PathMode::unsafe_all), "passes") << path;
  }
}

TEST(PathPolicy, AllPassesWhateverIsNotEngineControl) {
  for (const char* path : {"/", "/metrics", "/anything/at/all", "/a%20b", "/a/../b", "//", "*",
                           "/100%", "/%zz", "/sleepy", "/x/sleep", "/v1/chat/completions/"}) {
    EXPECT_EQ(all(path), "passes") << path;
  }
}

TEST(PathPolicy, InferenceRefusesPathsThatAreNotInNormalForm) {
  for (const char* path : {"/v1//models", "//v1/models", "/v1/./models", "/v1/x/../models",
                           "/v1/%6dodels", "/v1%2fmodels", "/./health", "/v1/models/."}) {
    EXPECT_EQ(inference(path), "path_unknown") << path;
    EXPECT_EQ(all(path), "passes") << path;
  }
}

TEST(PathPolicy, EngineControlInDisguiseIsForbiddenToo) {
  for (const char* path : {"/%73leep",
                           "/sle%65p",
                           "//sleep",
                           "/./sleep",
                           "/x/../sleep",
                           "/%2e/sleep",
                           "/x/%2e%2e/sleep",
                           "/x%2f..%2fsleep",
                           "/%2573leep",
                           "/%252573leep",
                           "/sleep/",
                           "/SLEEP",
                           "/Sle%45p/",
                           "/..//sleep",
                           "/sleep%2f",
                           "/%5csleep",
                           "/x/..%5csleep",
                           "/sleep%00",
                           "/%2525252525252573leep",
                           "/v1/%6coad_lora_adapter",
                           "/adapters/../adapters/x",
                           "/sleep/.",
                           "/sleep/x/.."}) {
    EXPECT_EQ(all(path), "path_not_allowed") << path;
    EXPECT_NE(inference(path), "passes") << path;
  }
}

TEST(PathPolicy, ClassIsKnownUnderAllAlsoInDisguise) {
  EXPECT_EQ(judge_path("/v1/completions", PathMode::all).path_class, PathClass::inference);
  EXPECT_EQ(judge_path("/v1/%63ompletions", PathMode::all).path_class, PathClass::inference);
  EXPECT_EQ(judge_path("/metrics", PathMode::all).path_class, PathClass::read_only);
}

TEST(PathPolicy, EachApiTellsErrorsInItsOwnShape) {
  EXPECT_EQ(judge_path("/v1/messages", PathMode::inference).shape, ApiShape::anthropic);
  EXPECT_EQ(judge_path("/v1/responses", PathMode::inference).shape, ApiShape::responses);
  EXPECT_EQ(judge_path("/v1/responses/a", PathMode::inference).shape, ApiShape::responses);
  EXPECT_EQ(judge_path("/v1/completions", PathMode::inference).shape, ApiShape::openai);
  EXPECT_EQ(judge_path("/v1/messagesx", PathMode::all).shape, ApiShape::openai);
}

TEST(PathPolicy, LongPathsAreJudgedToo) {
  std::string path;
  for (int i = 0; i < 2000; ++i) path += "/./";
  EXPECT_EQ(all(path + "sleep"), "path_not_allowed");
  EXPECT_EQ(all(path + "x"), "passes");
}

TEST(PathPolicy, PostsOfKnownWorkMayBeRepeatedOthersOnlyIfIdempotent) {
  EXPECT_TRUE(is_repeatable(Method::post, PathClass::inference));
  EXPECT_TRUE(is_repeatable(Method::post, PathClass::cheap));
  EXPECT_FALSE(is_repeatable(Method::post, PathClass::unknown));
  EXPECT_TRUE(is_repeatable(Method::get, PathClass::unknown));
  EXPECT_FALSE(is_repeatable(Method::patch, PathClass::inference));
}

}  // namespace
}  // namespace weir::http
