#include "bench/mock/event_text.h"

#include <charconv>

#include <fmt/format.h>

namespace weir {
namespace {

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

void append_usage_object(std::string& out, const TokenUsage& usage) {
  out += R"("usage":{"prompt_tokens":)";
  append_number(out, usage.prompt);
  out += R"(,"total_tokens":)";
  append_number(out, uint64_t{usage.prompt} + usage.generated);
  out += R"(,"completion_tokens":)";
  append_number(out, usage.generated);
}

}  // namespace

const std::string_view kDoneChunk = "e\r\ndata: [DONE]\n\n\r\n";
const std::string_view kEngineErrorChunk =
    "a9\r\ndata: {\"error\": {\"message\": \"EngineCore encountered an issue. See stack trace "
    "(above) for the root "
    "cause.\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}\n\n\r\n";
const std::string_view kLastChunk = "0\r\n\r\n";

void append_chunk(std::string& out, std::string_view data) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, data.size(), 16);
  out.append(digits, end);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

EventText::EventText(const AnswerHead& head)
    : is_chat_(head.is_chat),
      start_(fmt::format(R"(data: {{"id":"{}","object":"{}","created":{},"model":"{}","choices":[)",
                         head.id, head.is_chat ? "chat.completion.chunk" : "text_completion",
                         head.created, head.model)),
      fingerprint_(fmt::format(R"(,"system_fingerprint":"{}")", head.fingerprint)) {}

void EventText::begin(uint32_t choice) {
  event_ = start_;
  event_ += R"({"index":)";
  append_number(event_, choice);
}

// `more` stands behind the choices and the usage.
void EventText::end(std::string& out, std::string_view more, const TokenUsage* usage) {
  if (usage != nullptr) {
    event_ += ',';
    append_usage_object(event_, *usage);
    event_ += R"(,"completion_tokens_details":null})";
  }
  event_ += more;
  event_ += "}\n\n";
  append_chunk(out, event_);
}

void EventText::append_role(std::string& out, uint32_t choice, const TokenUsage* usage) {
  begin(choice);
  event_ += R"(,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}])";
  end(out, R"(,"prompt_token_ids":null,"prompt_text":null)", usage);
}

void EventText::append_token(std::string& out, uint32_t choice, std::string_view word,
                             const TokenUsage* usage) {
  begin(choice);
  event_ += is_chat_ ? R"(,"delta":{"content":")" : R"(,"text":")";
  event_ += word;
  event_ += is_chat_ ? R"("},"logprobs":null,"finish_reason":null,"token_ids":null}])"
                     : R"(","logprobs":null,"finish_reason":null,"stop_reason":null,)"
                       R"("prompt_token_ids":null,"token_ids":null}])";
  end(out, {}, usage);
}

void EventText::append_last(std::string& out, uint32_t choice, std::string_view word,
                            std::string_view finish_reason, bool has_fingerprint,
                            const TokenUsage* usage) {
  begin(choice);
  event_ += is_chat_ ? R"(,"delta":{"content":")" : R"(,"text":")";
  event_ += word;
  event_ += is_chat_ ? R"("},"logprobs":null,"finish_reason":")"
                     : R"(","logprobs":null,"finish_reason":")";
  event_ += finish_reason;
  event_ += is_chat_ ? R"(","stop_reason":null,"token_ids":null}])"
                     : R"(","stop_reason":null,"prompt_token_ids":null,"token_ids":null}])";
  end(out, has_fingerprint ? std::string_view(fingerprint_) : std::string_view(), usage);
}

void EventText::append_usage(std::string& out, const TokenUsage& usage) {
  event_ = start_;
  event_ += "],";
  append_usage_object(event_, usage);
  event_ += '}';
  end(out, fingerprint_, nullptr);
}

void append_choice(std::string& out, bool is_chat, const AnswerChoice& choice) {
  if (!out.empty()) out += ',';
  if (is_chat) {
    out +=
        fmt::format(R"({{"index":{},"message":{{"role":"assistant","content":"{}","refusal":null,)"
                    R"("annotations":null,)"
                    R"("audio":null,"function_call":null,"reasoning":null}},"logprobs":null,)"
                    R"("finish_reason":"{}",)"
                    R"("stop_reason":null,"token_ids":null,"routed_experts":null}})",
                    choice.index, choice.text, choice.finish_reason);
    return;
  }
  out += fmt::format(
      R"({{"index":{},"text":"{}","logprobs":null,"finish_reason":"{}","stop_reason":null,)"
      R"("token_ids":null,"prompt_logprobs":null,"prompt_token_ids":null,"routed_experts":null}})",
      choice.index, choice.text, choice.finish_reason);
}

std::string answer_body(const AnswerHead& head, std::string_view choices, const TokenUsage& usage) {
  std::string out = fmt::format(
      R"({{"id":"{}","object":"{}","created":{},"model":"{}","choices":[{}],"service_tier":null,)"
      R"("system_fingerprint":"{}",)",
      head.id, head.is_chat ? "chat.completion" : "text_completion", head.created, head.model,
      choices, head.fingerprint);
  append_usage_object(out, usage);
  out += R"(,"prompt_tokens_details":null,"completion_tokens_details":null})";
  if (head.is_chat) out += R"(,"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null)";
  out += R"(,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null})";
  return out;
}

}  // namespace weir
