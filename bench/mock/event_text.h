// The bytes of answers as vLLM 0.32 writes them: stream events, each as one HTTP chunk, and whole
// JSON bodies. Made without a JSON library: one stream writes thousands of events. Owned by a
// Generation; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct TokenUsage {
  uint32_t prompt = 0;
  uint32_t generated = 0;
};

// What all events and the whole answer of one request share. Texts are JSON-escaped already.
struct AnswerHead {
  std::string id;
  std::string model;
  std::string fingerprint;
  int64_t created = 0;  // seconds since 1970
  bool is_chat = false;
};

// Appends "size CRLF data CRLF".
void append_chunk(std::string& out, std::string_view data);

class EventText {
 public:
  explicit EventText(const AnswerHead& head);

  // Each appends one event, framed as one chunk. `usage` is for continuous_usage_stats, else
  // nullptr.
  void append_role(std::string& out, uint32_t choice, const TokenUsage* usage);
  void append_token(std::string& out, uint32_t choice, std::string_view word,
                    const TokenUsage* usage);
  // The last of a choice; has_fingerprint: it carries system_fingerprint (no usage event follows
  // that would).
  void append_last(std::string& out, uint32_t choice, std::string_view word,
                   std::string_view finish_reason, bool has_fingerprint, const TokenUsage* usage);
  void append_usage(std::string& out, const TokenUsage& usage);

 private:
  void begin(uint32_t choice);
  void end(std::string& out, std::string_view more, const TokenUsage* usage);

  bool is_chat_;
  std::string start_;        // "data: {…,"choices":["
  std::string fingerprint_;  // ","system_fingerprint":"…""
  std::string event_;        // scratch
};

// "data: [DONE]" and what vLLM puts into streams when its engine has died, each as one chunk; and
// the last chunk.
extern const std::string_view kDoneChunk;
extern const std::string_view kEngineErrorChunk;
extern const std::string_view kLastChunk;

// One choice of an answer that is not streamed.
struct AnswerChoice {
  uint32_t index = 0;
  std::string text;
  std::string_view finish_reason;
};
void append_choice(std::string& out, bool is_chat, const AnswerChoice& choice);
// The whole body around the choices, which are joined by commas.
std::string answer_body(const AnswerHead& head, std::string_view choices, const TokenUsage& usage);

}  // namespace weir
