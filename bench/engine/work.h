// What is asked of the pool: prompts and their lengths, as request bodies. Everything about request
// i follows from the seed and i, whichever worker sends it and whenever. Immutable once made, so
// shared by all workers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/engine/length_choice.h"

namespace weir {

// A line of --prompts. What is not empty of the three is sent, in this order.
struct PromptItem {
  std::string messages;     // JSON members of the array
  std::string prompt_json;  // a JSON string or list of token ids, for completions
  std::string text;
  int32_t output_tokens = -1;  // -1: what --out says
};

// A request of a trace. Equal ids of blocks stand for equal tokens.
struct TraceItem {
  int64_t at_ns = 0;
  uint32_t input_tokens = 1;
  uint32_t output_tokens = 1;
  std::vector<uint64_t> blocks;
};

struct WorkOptions {
  std::string model;
  bool is_chat = true;
  bool is_streamed = true;
  LengthChoice input{.a = 512};
  LengthChoice output{.a = 128};
  bool has_output_length = true;  // false: the model ends by itself
  bool ignores_end = true;        // ignore_eos: exactly so many tokens
  uint32_t prefix_tokens = 0;     // shared by the requests of a group, in front of the input
  uint32_t prefix_groups = 1;
  uint32_t turns = 1;
  uint64_t seed = 0;
  std::vector<PromptItem> prompts;
  std::vector<TraceItem> trace;
  uint32_t block_tokens = 512;  // of a trace's block
  // Members that replace ours, as JSON: {"temperature", "0.7"}; null removes.
  std::vector<std::pair<std::string, std::string>> extra;
  // Tokens that a chat's template adds to the words; -1 = not known.
  int32_t chat_overhead = -1;
};

// What one request is to be.
struct PlannedWork {
  uint32_t session = 0;
  uint32_t turn = 0;
  int32_t prompt_tokens = -1;  // -1: not known beforehand
  int32_t output_tokens = -1;
};

class Work {
 public:
  explicit Work(WorkOptions options) : options_(std::move(options)) {}

  PlannedWork plan(uint32_t session, uint32_t turn) const;
  // The body. `history`: members of `messages` so far, of the same session; the new ones are added
  // to it (and the answer by add_answer), so that the next turn goes on from there.
  void write_body(const PlannedWork& plan, std::string* history, std::string* body) const;
  static void add_answer(std::string_view escaped_text, std::string* history);

  const WorkOptions& options() const { return options_; }
  std::string_view path() const {
    return options_.is_chat ? "/v1/chat/completions" : "/v1/completions";
  }
  std::string to_string() const;     // "512 tokens in, 128 out"
  std::string length_check() const;  // how far lengths are exact

 private:
  struct Segment {
    uint64_t content;  // equal contents are equal tokens
    uint32_t tokens;
  };
  std::vector<Segment> segments(const PlannedWork& plan) const;
  void write_words(const PlannedWork& plan, std::string* out) const;
  void write_token_ids(const PlannedWork& plan, std::string* out) const;
  void write_prompt(const PlannedWork& plan, std::string* history, std::string* body) const;
  void write_options(const PlannedWork& plan, std::string* body) const;
  const PromptItem* prompt_of(const PlannedWork& plan) const;
  bool is_replaced(std::string_view member) const;

  WorkOptions options_;
};

// `count` words of one token each, for any tokenizer that knows English: each but the first with a
// blank in front.
std::string plain_words(uint32_t count);

// As the inside of a JSON string.
void append_escaped(std::string_view text, std::string* out);

}  // namespace weir
