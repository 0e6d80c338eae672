#include "bench/engine/work.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

namespace weir {
namespace {

// Words of three letters are one token each, with the blank before them, in every tokenizer that
// was made from English.
constexpr std::array<std::string_view, 96> kWords{
    "the", "and", "for", "are", "but", "not", "you", "all", "any", "can", "had", "her",
    "was", "one", "our", "out", "day", "get", "has", "him", "his", "how", "man", "new",
    "now", "old", "see", "two", "way", "who", "boy", "did", "its", "let", "put", "say",
    "she", "too", "use", "sun", "sea", "sky", "air", "ice", "oil", "tea", "red", "big",
    "few", "far", "low", "top", "end", "set", "run", "sit", "win", "buy", "pay", "cut",
    "eat", "fly", "try", "ask", "add", "act", "age", "arm", "art", "bad", "bag", "bar",
    "bed", "box", "bus", "car", "cat", "cup", "dog", "ear", "egg", "eye", "fan", "fat",
    "fit", "fun", "gas", "gun", "hat", "hit", "hot", "job", "key", "kid", "law", "leg"};

// Token ids that every vocabulary of the field has as ordinary text.
constexpr uint64_t kFirstTokenId = 1000;
constexpr uint64_t kTokenIds = 20'000;

// Streams of the seed.
constexpr uint64_t kStreamOfLengths = uint64_t{1} << 40;
constexpr uint64_t kStreamOfPrefixes = uint64_t{2} << 40;
constexpr uint64_t kStreamOfTexts = uint64_t{3} << 40;
constexpr uint64_t kStreamOfBlocks = uint64_t{4} << 40;

// Of request `session`, turn `turn`: turns of one session are far apart.
uint64_t place_of(const PlannedWork& plan) {
  return (uint64_t{plan.turn} << 32) | plan.session;
}

void append_words(Dice dice, uint32_t count, bool is_first, std::string* out) {
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0 || !is_first) *out += ' ';
    *out += kWords[dice.below(kWords.size())];
  }
}

}  // namespace

std::string plain_words(uint32_t count) {
  std::string words;
  append_words(Dice(0), count, true, &words);
  return words;
}

void append_escaped(std::string_view text, std::string* out) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      *out += c;
    }
  }
}

const PromptItem* Work::prompt_of(const PlannedWork& plan) const {
  if (options_.prompts.empty()) return nullptr;
  const size_t item = (size_t{plan.session} * options_.turns + plan.turn) % options_.prompts.size();
  return &options_.prompts[item];
}

PlannedWork Work::plan(uint32_t session, uint32_t turn) const {
  PlannedWork plan{.session = session, .turn = turn};
  Dice dice(options_.seed, kStreamOfLengths + place_of(plan));
  const auto input = static_cast<int32_t>(options_.input.choose(dice));
  const auto output = static_cast<int32_t>(options_.output.choose(dice));
  if (options_.has_output_length) plan.output_tokens = output;
  if (const PromptItem* prompt = prompt_of(plan)) {
    if (prompt->output_tokens > 0) plan.output_tokens = prompt->output_tokens;
    return plan;
  }
  if (!options_.trace.empty()) {
    const TraceItem& item = options_.trace[session % options_.trace.size()];
    plan.prompt_tokens = static_cast<int32_t>(item.input_tokens);
    plan.output_tokens = static_cast<int32_t>(item.output_tokens);
    return plan;
  }
  plan.prompt_tokens = input + static_cast<int32_t>(turn == 0 ? options_.prefix_tokens : 0);
  return plan;
}

// The parts of a prompt, of which equal ones may be shared with other requests.
std::vector<Work::Segment> Work::segments(const PlannedWork& plan) const {
  std::vector<Segment> parts;
  auto left = static_cast<uint32_t>(plan.prompt_tokens);
  if (!options_.trace.empty()) {
    for (const uint64_t block : options_.trace[plan.session % options_.trace.size()].blocks) {
      const uint32_t tokens = std::min(left, options_.block_tokens);
      if (tokens == 0) break;
      parts.push_back({kStreamOfBlocks + block, tokens});
      left -= tokens;
    }
  } else if (options_.prefix_tokens > 0 && plan.turn == 0) {
    Dice dice(options_.seed, kStreamOfPrefixes + plan.session);
    const uint64_t group = dice.below(options_.prefix_groups);
    parts.push_back({kStreamOfPrefixes + (uint64_t{1} << 39) + group, options_.prefix_tokens});
    left -= options_.prefix_tokens;
  }
  if (left > 0) parts.push_back({kStreamOfTexts + place_of(plan), left});
  return parts;
}

// The template's own tokens are taken off the end, of the part that nobody shares.
void Work::write_words(const PlannedWork& plan, std::string* out) const {
  std::vector<Segment> parts = segments(plan);
  const bool is_chat_begin = options_.is_chat && plan.turn == 0;
  const auto overhead =
      static_cast<uint32_t>(is_chat_begin ? std::max(0, options_.chat_overhead) : 0);
  if (!parts.empty()) {
    uint32_t& last = parts.back().tokens;
    last = last > overhead ? last - overhead : 1;
  }
  bool is_first = true;
  for (const Segment& part : parts) {
    append_words(Dice(options_.seed, part.content), part.tokens, is_first, out);
    is_first = false;
  }
}

void Work::write_token_ids(const PlannedWork& plan, std::string* out) const {
  char separator = '[';
  for (const Segment& part : segments(plan)) {
    Dice dice(options_.seed, part.content);
    for (uint32_t i = 0; i < part.tokens; ++i) {
      *out += separator;
      fmt::format_to(std::back_inserter(*out), "{}", kFirstTokenId + dice.below(kTokenIds));
      separator = ',';
    }
  }
  *out += ']';
}

void Work::write_prompt(const PlannedWork& plan, std::string* history, std::string* body) const {
  const PromptItem* prompt = prompt_of(plan);
  if (!options_.is_chat) {
    *body += R"("prompt":)";
    if (prompt == nullptr) return write_token_ids(plan, body);
    if (!prompt->prompt_json.empty()) {
      *body += prompt->prompt_json;
      return;
    }
    *body += '"';
    append_escaped(prompt->text, body);
    *body += '"';
    return;
  }
  if (!history->empty()) *history += ',';
  if (prompt != nullptr && !prompt->messages.empty()) {
    *history += prompt->messages;
  } else {
    *history += R"({"role":"user","content":")";
    if (prompt != nullptr) {
      append_escaped(prompt->text, history);
    } else {
      write_words(plan, history);
    }
    *history += R"("})";
  }
  *body += R"("messages":[)";
  *body += *history;
  *body += ']';
}

bool Work::is_replaced(std::string_view member) const {
  return std::ranges::any_of(options_.extra,
                             [member](const auto& one) { return one.first == member; });
}

void Work::write_options(const PlannedWork& plan, std::string* body) const {
  const auto add = [this, body](std::string_view member, std::string_view value) {
    if (!is_replaced(member)) *body += fmt::format(R"(,"{}":{})", member, value);
  };
  if (options_.is_streamed) {
    add("stream", "true");
    add("stream_options", R"({"include_usage":true})");
  }
  if (plan.output_tokens > 0) {
    add("max_tokens", fmt::format("{}", plan.output_tokens));
    if (options_.ignores_end) add("ignore_eos", "true");
  }
  for (const auto& [member, value] : options_.extra) {
    if (value != "null") *body += fmt::format(R"(,"{}":{})", member, value);
  }
}

void Work::write_body(const PlannedWork& plan, std::string* history, std::string* body) const {
  body->clear();
  *body += '{';
  if (!is_replaced("model")) {
    *body += R"("model":")";
    append_escaped(options_.model, body);
    *body += R"(",)";
  }
  write_prompt(plan, history, body);
  write_options(plan, body);
  *body += '}';
}

void Work::add_answer(std::string_view escaped_text, std::string* history) {
  *history += R"(,{"role":"assistant","content":")";
  *history += escaped_text;
  *history += R"("})";
}

std::string Work::to_string() const {
  std::string text;
  if (!options_.prompts.empty()) {
    text = fmt::format("{} prompts of a file", options_.prompts.size());
  } else if (!options_.trace.empty()) {
    return fmt::format("{} requests of a trace", options_.trace.size());
  } else {
    text = options_.input.to_string() + " tokens in";
  }
  if (options_.has_output_length) text += ", " + options_.output.to_string() + " out";
  if (options_.prefix_tokens > 0) {
    text +=
        fmt::format(", {} prefixes of {} tokens", options_.prefix_groups, options_.prefix_tokens);
  }
  if (options_.turns > 1) text += fmt::format(", {} turns", options_.turns);
  return text;
}

std::string Work::length_check() const {
  if (!options_.prompts.empty()) return "prompts as the file has them; lengths by usage";
  if (!options_.is_chat) return "exact: token ids";
  if (options_.chat_overhead >= 0) {
    return fmt::format("exact by /tokenize (the chat template adds {})", options_.chat_overhead);
  }
  return "not exact: one word taken for one token; lengths by usage";
}

}  // namespace weir
