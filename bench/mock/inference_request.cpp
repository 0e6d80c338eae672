#include "bench/mock/inference_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/mock/answer_text.h"

namespace weir {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kMostSequences = 1024;  // of one request: prompts × n
constexpr uint32_t kVocabulary = 1u << 20;
constexpr uint32_t kTokensPerMessage = 5;  // of the chat template

ApiError invalid(const std::string& message, const std::string& param = {}) {
  return ApiError{400, message, "BadRequestError", param};
}

ApiError validation(const std::string& detail, const std::string& where) {
  return ApiError{400, "1 validation error:\n  " + detail, "Bad Request", where};
}

ApiError field_missing(const std::string& field, size_t fields) {
  return validation(
      fmt::format(
          "{{'type': 'missing', 'loc': 'body.{}', 'msg': 'Field required', 'input': '<dict of {} "
          "items>'}}",
          field, fields),
      "body." + field);
}

ApiError wrong_type(const std::string& field, std::string_view expected) {
  return validation(
      fmt::format("{{'type': '{}_type', 'loc': 'body.{}', 'msg': 'Input should be a valid {}'}}",
                  expected, field, expected),
      "body." + field);
}

Result<Json, ApiError> parse_object(std::string_view body) {
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    return validation(
        fmt::format(
            "{{'type': 'json_invalid', 'loc': 'body.{}', 'msg': 'JSON decode error', 'input': "
            "'<dict of 0 items>', 'ctx': {{'error': 'Expecting value'}}}}",
            body.size()),
        fmt::format("body.{}", body.size()));
  }
  if (!json.is_object()) return wrong_type("", "dictionary");
  return json;
}

// The field, or nullptr when it is missing or null.
const Json* field(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

bool flag(const Json& object, const char* name) {
  const Json* value = field(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Result<Ok, ApiError> check_model(const Json& json, const ModelLimits& limits) {
  const Json* model = field(json, "model");
  if (model == nullptr) return Ok{};
  if (!model->is_string()) return wrong_type("model", "string");
  const std::string& name = model->get_ref<const std::string&>();
  if (name == limits.model) return Ok{};
  return ApiError{
      404, fmt::format("The model `{}` does not exist. Valid aliases: {}.", name, limits.model),
      "NotFoundError", "model"};
}

Result<Ok, ApiError> check_length(const InferencePrompt& prompt, const ModelLimits& limits) {
  if (prompt.tokens < limits.max_model_len) return Ok{};
  return invalid(fmt::format("This model's maximum context length is {} tokens. However, your "
                             "prompt contains {} input "
                             "tokens, which exceeds this limit even without any output tokens. "
                             "Please reduce the length "
                             "of the input prompt. (parameter=input_tokens, value={})",
                             limits.max_model_len, prompt.tokens, prompt.tokens),
                 "input_tokens");
}

InferencePrompt from_text(std::string_view text) {
  return {prompt_key(text), count_tokens(text)};
}

Result<InferencePrompt, ApiError> from_ids(const Json& ids) {
  std::string text;
  for (const Json& id : ids) {
    if (!id.is_number_integer()) return wrong_type("prompt", "integer");
    const auto number = id.get<int64_t>();
    if (number < 0 || number >= kVocabulary)
      return invalid(fmt::format("Token id {} is out of vocabulary", number));
    if (!text.empty()) text += ',';
    text += fmt::to_string(number);
  }
  return InferencePrompt{prompt_key(text), static_cast<uint32_t>(ids.size())};
}

// A string, a list of token ids, a list of strings or a list of lists of ids.
Result<std::vector<InferencePrompt>, ApiError> parse_prompts(const Json& json,
                                                             const std::string& name) {
  std::vector<InferencePrompt> prompts;
  if (json.is_string()) {
    prompts.push_back(from_text(json.get_ref<const std::string&>()));
    return prompts;
  }
  if (!json.is_array() || json.empty()) return wrong_type(name, "string");
  if (json.size() > kMostSequences && !json.front().is_number()) {
    return invalid(fmt::format("at most {} prompts are taken, got {}", kMostSequences, json.size()),
                   name);
  }
  if (json.front().is_number()) {
    const Result<InferencePrompt, ApiError> prompt = from_ids(json);
    if (!prompt) return prompt.error();
    prompts.push_back(*prompt);
    return prompts;
  }
  for (const Json& item : json) {
    if (item.is_string()) {
      prompts.push_back(from_text(item.get_ref<const std::string&>()));
    } else if (item.is_array()) {
      const Result<InferencePrompt, ApiError> prompt = from_ids(item);
      if (!prompt) return prompt.error();
      prompts.push_back(*prompt);
    } else {
      return wrong_type(name, "string");
    }
  }
  return prompts;
}

// Content is a text, a list of parts of which those with a text count, or null.
void append_content(const Json& message, std::string& text) {
  const Json* content = field(message, "content");
  if (content == nullptr) return;
  if (content->is_string()) text += content->get_ref<const std::string&>();
  if (!content->is_array()) return;
  for (const Json& part : *content) {
    const Json* piece = part.is_object() ? field(part, "text") : nullptr;
    if (piece != nullptr && piece->is_string()) text += piece->get_ref<const std::string&>();
  }
}

Result<InferencePrompt, ApiError> parse_messages(const Json& json) {
  const Json* messages = field(json, "messages");
  if (messages == nullptr) return field_missing("messages", json.size());
  if (!messages->is_array()) return wrong_type("messages", "list");
  if (messages->empty()) {
    return invalid(
        "Cannot apply chat template to an empty conversation. Provide at least one message.");
  }
  std::string text;
  bool is_first = true;
  for (const Json& message : *messages) {
    if (!message.is_object()) return wrong_type("messages", "dictionary");
    if (!is_first) text += '\n';
    is_first = false;
    append_content(message, text);
  }
  InferencePrompt prompt = from_text(text);
  prompt.tokens += kTokensPerMessage * static_cast<uint32_t>(messages->size());
  return prompt;
}

// Whole numbers of at least `least`; missing leaves *out alone.
Result<Ok, ApiError> parse_number(const Json& json, const char* name, uint32_t least,
                                  uint32_t* out) {
  const Json* value = field(json, name);
  if (value == nullptr) return Ok{};
  if (!value->is_number_integer()) return wrong_type(name, "integer");
  const auto number = value->get<int64_t>();
  if (number < least) {
    return invalid(fmt::format("{} must be at least {}, got {}. (parameter={}, value={})", name,
                               least, number, name, number),
                   name);
  }
  *out = static_cast<uint32_t>(number > UINT32_MAX ? UINT32_MAX : number);
  return Ok{};
}

Result<Ok, ApiError> parse_sampling(const Json& json, const ModelLimits& limits,
                                    InferenceRequest& request) {
  const char* length_name =
      field(json, "max_completion_tokens") != nullptr ? "max_completion_tokens" : "max_tokens";
  if (Result<Ok, ApiError> ok = parse_number(json, length_name, 1, &request.max_tokens); !ok)
    return ok.error();
  if (Result<Ok, ApiError> ok = parse_number(json, "n", 1, &request.choices); !ok)
    return ok.error();
  if (request.max_tokens > limits.max_model_len) {
    return invalid(
        fmt::format(
            "max_tokens={} cannot be greater than max_model_len={}. Please request fewer output "
            "tokens. (parameter=max_tokens, value={})",
            request.max_tokens, limits.max_model_len, request.max_tokens),
        "max_tokens");
  }
  const Json* temperature = field(json, "temperature");
  if (temperature != nullptr && !temperature->is_number())
    return wrong_type("temperature", "number");
  if (temperature != nullptr && temperature->get<double>() < 0) {
    const double value = temperature->get<double>();
    return invalid(
        fmt::format("temperature must be non-negative, got {}. (parameter=temperature, value={})",
                    value, value),
        "temperature");
  }
  return Ok{};
}

void parse_stream(const Json& json, InferenceRequest& request) {
  request.is_stream = flag(json, "stream");
  const Json* options = field(json, "stream_options");
  if (options == nullptr || !options->is_object()) return;
  request.wants_usage = flag(*options, "include_usage");
  request.wants_usage_always = request.wants_usage && flag(*options, "continuous_usage_stats");
}

Result<Ok, ApiError> finish(const Json& json, const ModelLimits& limits,
                            InferenceRequest& request) {
  if (Result<Ok, ApiError> ok = check_model(json, limits); !ok) return ok.error();
  if (Result<Ok, ApiError> ok = parse_sampling(json, limits, request); !ok) return ok.error();
  for (const InferencePrompt& prompt : request.prompts) {
    if (Result<Ok, ApiError> ok = check_length(prompt, limits); !ok) return ok.error();
  }
  if (request.prompts.size() * request.choices > kMostSequences) {
    return invalid(fmt::format("n must be at most {} over all prompts, got {}", kMostSequences,
                               request.choices),
                   "n");
  }
  parse_stream(json, request);
  const Json* id = field(json, "request_id");
  if (id != nullptr && id->is_string()) request.request_id = id->get<std::string>();
  return Ok{};
}

}  // namespace

std::string ApiError::body() const {
  const std::string where = param.empty() ? "null" : '"' + json_escaped(param) + '"';
  return fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":{},"code":{}}}}})",
                     json_escaped(message), type, where, status);
}

Result<InferenceRequest, ApiError> parse_inference(std::string_view body, bool is_chat,
                                                   const ModelLimits& limits) {
  const Result<Json, ApiError> json = parse_object(body);
  if (!json) return json.error();
  InferenceRequest request;
  request.is_chat = is_chat;
  if (is_chat) {
    const Result<InferencePrompt, ApiError> prompt = parse_messages(*json);
    if (!prompt) return prompt.error();
    request.prompts.push_back(*prompt);
  } else {
    const Json* prompt = field(*json, "prompt");
    if (prompt == nullptr) return field_missing("prompt", json->size());
    Result<std::vector<InferencePrompt>, ApiError> prompts = parse_prompts(*prompt, "prompt");
    if (!prompts) return prompts.error();
    request.prompts = *std::move(prompts);
    request.max_tokens = 16;
  }
  if (Result<Ok, ApiError> ok = finish(*json, limits, request); !ok) return ok.error();
  return request;
}

Result<std::vector<InferencePrompt>, ApiError> parse_embeddings(std::string_view body,
                                                                const ModelLimits& limits) {
  const Result<Json, ApiError> json = parse_object(body);
  if (!json) return json.error();
  const Json* input = field(*json, "input");
  if (input == nullptr) return field_missing("input", json->size());
  if (Result<Ok, ApiError> ok = check_model(*json, limits); !ok) return ok.error();
  return parse_prompts(*input, "input");
}

Result<InferencePrompt, ApiError> parse_tokenize(std::string_view body, const ModelLimits& limits) {
  const Result<Json, ApiError> json = parse_object(body);
  if (!json) return json.error();
  if (Result<Ok, ApiError> ok = check_model(*json, limits); !ok) return ok.error();
  if (field(*json, "messages") != nullptr) return parse_messages(*json);
  const Json* prompt = field(*json, "prompt");
  if (prompt == nullptr) return field_missing("prompt", json->size());
  if (!prompt->is_string()) return wrong_type("prompt", "string");
  return from_text(prompt->get_ref<const std::string&>());
}

Result<FaultOrder, ApiError> parse_fault_order(std::string_view body) {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' '))
    body.remove_suffix(1);
  if (!body.starts_with('{')) return FaultOrder{std::string(body), 0};
  const Result<Json, ApiError> json = parse_object(body);
  if (!json) return json.error();
  FaultOrder order;
  const Json* fault = field(*json, "fault");
  if (fault == nullptr) return field_missing("fault", json->size());
  if (!fault->is_string()) return wrong_type("fault", "string");
  order.fault = fault->get<std::string>();
  if (Result<Ok, ApiError> ok = parse_number(*json, "count", 1, &order.count); !ok)
    return ok.error();
  return order;
}

ApiError busy_error() {
  return ApiError{503,
                  "The engine is currently busy and cannot accept new requests. Please try again "
                  "later or on a different "
                  "instance.",
                  "Service Unavailable",
                  {}};
}

ApiError engine_error() {
  return ApiError{500,
                  "EngineCore encountered an issue. See stack trace (above) for the root cause.",
                  "InternalServerError",
                  {}};
}

ApiError after_shutdown_error() {
  return ApiError{500, "cannot schedule new futures after shutdown", "InternalServerError", {}};
}

ApiError wrong_media_type() {
  return validation("Unsupported Media Type: Only 'application/json' is allowed", {});
}

}  // namespace weir
