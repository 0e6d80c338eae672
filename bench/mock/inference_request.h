// The JSON bodies that the pretend vLLM takes, as values, and what it says against a bad one. Any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

namespace weir {

// An answer that is not 200, in vLLM's shape {"error":{…}}.
struct ApiError {
  int status = 400;
  std::string message;
  std::string type;
  std::string param;  // empty = null

  std::string body() const;
};

struct InferencePrompt {
  uint64_t key = 0;  // prompt_key() of its text
  uint32_t tokens = 0;
};

struct InferenceRequest {
  std::vector<InferencePrompt> prompts;  // one, but for completions of a list of prompts
  uint32_t max_tokens = 0;               // 0 = as long as the answer is
  uint32_t choices = 1;                  // n: answers for each prompt
  bool is_chat = false;
  bool is_stream = false;
  bool wants_usage = false;         // stream_options.include_usage
  bool wants_usage_always = false;  // stream_options.continuous_usage_stats
  std::string request_id;           // body's request_id; empty = none
};

struct ModelLimits {
  std::string_view model;
  uint32_t max_model_len = 0;
};

// Of POST /v1/chat/completions and /v1/completions.
Result<InferenceRequest, ApiError> parse_inference(std::string_view body, bool is_chat,
                                                   const ModelLimits& limits);

// Of POST /v1/embeddings: a prompt for each input.
Result<std::vector<InferencePrompt>, ApiError> parse_embeddings(std::string_view body,
                                                                const ModelLimits& limits);

// Of POST /tokenize: the length of what is to be tokenized.
Result<InferencePrompt, ApiError> parse_tokenize(std::string_view body, const ModelLimits& limits);

// Of POST /mock/fault: {"fault": "KIND[:WHEN]", "count": N} or the bare text.
struct FaultOrder {
  std::string fault;
  uint32_t count = 0;
};
Result<FaultOrder, ApiError> parse_fault_order(std::string_view body);

// What vLLM says when it is busy, when its engine has died, while it drains, and to a body that is
// not called JSON.
ApiError busy_error();
ApiError engine_error();
ApiError after_shutdown_error();
ApiError wrong_media_type();

}  // namespace weir
