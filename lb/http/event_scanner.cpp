#include "lb/http/event_scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

namespace weir::http {
namespace {

// More than the longest key with its value, so that none is lost between two windows of a long
// line.
constexpr size_t kOverlapBytes = 128;
constexpr size_t kMostBlanks = 16;
constexpr size_t kMostDigits = 18;

std::string_view skip_blanks(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && at < kMostBlanks && is_blank(text[at])) ++at;
  return text.substr(at);
}

constexpr std::string_view kDataName = "data:";

// The value of a line `NAME: value`; nullptr data if the line has another name.
std::string_view value_of_line(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return {};
  line.remove_prefix(name.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

bool is_error_object(std::string_view json) {
  constexpr std::string_view kStart = "{\"error\"";
  if (!json.starts_with(kStart)) return false;
  json = skip_blanks(json.substr(kStart.size()));
  return json.starts_with(':') && !skip_blanks(json.substr(1)).starts_with("null");
}

bool is_final_event(std::string_view name) {
  return name == "message_stop" || name == "response.completed" || name == "response.incomplete" ||
         name == "response.failed";
}

// The whole key whose closing quote is at text[quote].
bool is_key(std::string_view text, size_t quote, std::string_view key) {
  return quote > key.size() && text[quote - key.size() - 1] == '"' &&
         std::memcmp(text.data() + quote - key.size(), key.data(), key.size()) == 0;
}

// What stands behind the colon.
std::string_view value_behind(std::string_view text, size_t quote) {
  const std::string_view value(text.data() + quote + 2, text.size() - quote - 2);
  return value.empty() || !is_blank(value.front()) ? value : skip_blanks(value);
}

// A string or a list that is not empty.
bool is_some(std::string_view text, size_t quote, char open, char close) {
  const std::string_view value = value_behind(text, quote);
  return value.size() > 1 && value[0] == open && value[1] != close;
}

// Keys whose value is text that a reader would see.
bool is_text(std::string_view text, size_t quote) {
  if (!is_some(text, quote, '"', '"')) return false;
  for (const std::string_view key : {"content", "text", "delta", "reasoning_content", "reasoning",
                                     "thinking", "partial_json", "arguments"}) {
    if (is_key(text, quote, key)) return true;
  }
  return false;
}

int64_t number_of(std::string_view value) {
  int64_t number = 0;
  size_t digits = 0;
  while (digits < value.size() && digits < kMostDigits && is_a(kDigitChar, value[digits])) {
    number = number * 10 + (value[digits++] - '0');
  }
  return digits == 0 ? -1 : number;
}

// The last six bytes of a key, with its opening quote when it is short, as one number: most keys
// are told apart by it.
static_assert(std::endian::native == std::endian::little);
constexpr uint64_t ending(std::string_view six) {
  uint64_t value = 0;
  for (size_t i = 6; i > 0; --i) value = value << 8 | static_cast<uint8_t>(six[i - 1]);
  return value;
}
constexpr size_t kLeastQuote = 8;

// The last two letters first: few keys of an event have those of ours.
constexpr size_t pair_slot(unsigned before_last, unsigned last) {
  return (before_last * 8 + last) & 0xff;
}
constexpr std::array<bool, 256> make_wanted_pairs() {
  std::array<bool, 256> wanted{};
  for (const std::string_view pair : {"on", "ns", "ge", "ls", "nt", "ta", "ng", "ts", "xt"}) {
    wanted[pair_slot(static_cast<uint8_t>(pair[0]), static_cast<uint8_t>(pair[1]))] = true;
  }
  return wanted;
}
constexpr std::array<bool, 256> kWantedPairs = make_wanted_pairs();

bool may_be_wanted(const char* quote) {
  return kWantedPairs[pair_slot(static_cast<uint8_t>(quote[-2]), static_cast<uint8_t>(quote[-1]))];
}

uint64_t ending_at(std::string_view text, size_t quote) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + quote - kLeastQuote, sizeof bytes);
  return bytes >> 16;
}

// Is the key with this underscore a finish_reason or stop_reason that may be a string, or one of
// the numbers of tokens? Behind a key there are a colon and a value, and behind the line its end.
bool may_say_something(std::string_view data, size_t underscore) {
  constexpr std::string_view kReason = "_reason\"";
  constexpr std::string_view kTokens = "_tokens\"";
  if (data.size() - underscore < kReason.size() + 2) return false;
  const char* const at = data.data() + underscore;
  if (std::memcmp(at, kReason.data(), kReason.size()) == 0) {
    return at[8] == ':' && (at[9] == '"' || is_blank(at[9]));
  }
  return std::memcmp(at, kTokens.data(), kTokens.size()) == 0;
}

}  // namespace

size_t EventScanner::next_event_end(std::string_view data) {
  if (event_ended_) {
    look_ = {};
    event_ended_ = has_usage_ = is_message_delta_ = false;
  }
  if (const size_t end = whole_event(data); end != kNone) return end;
  size_t at = 0;
  if (after_cr_ && !data.empty()) {
    after_cr_ = false;
    if (data[0] == '\n') at = 1;
  }
  while (at < data.size()) {
    const size_t end = find_either(data, '\n', '\r', at);
    if (end == data.size()) {
      keep(data.substr(at));
      is_at_boundary_ = line_is_empty_ = false;
      return kNone;
    }
    size_t next = end + 1;
    if (data[end] == '\r') {
      after_cr_ = next == data.size();
      if (!after_cr_ && data[next] == '\n') ++next;
    }
    if (line_is_empty_ && end == at) {
      is_at_boundary_ = event_ended_ = true;
      return next;
    }
    finish_line(data.substr(at, end - at));
    is_at_boundary_ = false;
    line_is_empty_ = true;
    at = next;
  }
  return kNone;
}

// The most frequent case: one line of data and an empty line, both here. All keys that matter have
// an underscore: where none of them has a value that says something, there is nothing to look at.
size_t EventScanner::whole_event(std::string_view data) {
  constexpr size_t kLeast = 32;
  if (depth_ != Depth::without_text || !line_is_empty_ || after_cr_) return kNone;
  if (data.size() < kLeast || std::memcmp(data.data(), kDataName.data(), kDataName.size()) != 0) {
    return kNone;
  }
  bool says_something = false;
  const size_t end = for_each_mark_of_line(data, '_', kDataName.size(), [&](size_t underscore) {
    says_something |= may_say_something(data, underscore);
  });
  if (end + 1 >= data.size() || data[end] != '\n' || data[end + 1] != '\n') return kNone;
  if (end < kLeast) return kNone;
  const std::string_view line(data.data(), end);
  const size_t json = data[5] == ' ' ? 6 : 5;
  look_.has_data = true;
  if (data[json + 1] == '"' && data[json + 2] == 'e' && is_error_object(line.substr(json))) {
    look_.is_error = true;
  }
  if (says_something) look_at_few(line);
  is_at_boundary_ = event_ended_ = true;
  return end + 2;
}

void EventScanner::finish_line(std::string_view rest) {
  if (line_is_empty_) {
    look_at_line(rest);
    return;
  }
  keep(rest);
  if (!is_overlong_) {
    look_at_line(kept_);
  } else if (long_line_is_data_) {
    look_at_json(kept_);
  }
  is_overlong_ = false;
  std::string().swap(kept_);  // an idle stream holds no memory
}

void EventScanner::keep(std::string_view piece) {
  while (!piece.empty()) {
    const size_t taken = std::min(piece.size(), kKeptBytes - kept_.size());
    kept_.append(piece, 0, taken);
    piece.remove_prefix(taken);
    if (kept_.size() == kKeptBytes) slide();
  }
}

// A line longer than what is kept: look at what is there, go on with its last bytes.
void EventScanner::slide() {
  if (!is_overlong_) {
    is_overlong_ = true;
    long_line_is_data_ = look_at_line(kept_);
  } else if (long_line_is_data_) {
    look_at_json(kept_);
  }
  kept_.erase(0, kept_.size() - kOverlapBytes);
}

// True if it is a line of data.
bool EventScanner::look_at_line(std::string_view line) {
  if (const std::string_view json = value_of_line(line, kDataName); json.data() != nullptr) {
    look_.has_data = true;
    if (json == "[DONE]") look_.is_done = true;
    if (is_error_object(json)) look_.is_error = true;
    look_at_json(line);
    return true;
  }
  if (const std::string_view name = value_of_line(line, "event:"); name.data() != nullptr) {
    look_.has_data = true;
    if (name == "error") look_.is_error = true;
    if (is_final_event(name)) look_.has_finish = true;
    is_message_delta_ = name == "message_delta";
  }
  return false;
}

// The keys that end like ours: "finish_reason" and "stop_reason", or "usage", whose place is noted.
void EventScanner::look_at_ending(std::string_view text, size_t letter, size_t* usage) {
  const size_t quote = letter + 1;
  if (quote < kLeastQuote || quote + 1 >= text.size() || text[quote + 1] != ':') return;
  if (text[letter] == 'n') {
    look_at_reason(text, quote);
  } else if (*usage == text.size() && is_key(text, quote, "usage") &&
             value_behind(text, quote).starts_with('{')) {
    *usage = quote;
  }
}

// Tokens, behind "usage" or everywhere when that was in an earlier line or window.
void EventScanner::look_at_usage(std::string_view text, size_t usage) {
  if (!has_usage_ && usage == text.size()) return;
  for_each_ending(text, 's', 's', has_usage_ ? kLeastQuote - 1 : usage, [&](size_t letter) {
    const size_t quote = letter + 1;
    if (quote + 1 < text.size() && text[quote + 1] == ':') look_at_tokens(text, quote);
  });
  has_usage_ = true;
}

void EventScanner::look_at_few(std::string_view text) {
  size_t usage = text.size();
  for_each_ending(text, 'n', 'e', kLeastQuote - 1,
                  [&](size_t letter) { look_at_ending(text, letter, &usage); });
  look_at_usage(text, usage);
}

// Looks at each `"key":` of a line. A quote inside a string is escaped, so what is found here is
// structure, wherever the text begins.
void EventScanner::look_at_json(std::string_view text) {
  if (depth_ == Depth::without_text) {
    look_at_few(text);
    return;
  }
  for_each_pair(text, '"', ':', kLeastQuote, [&](size_t quote) {
    if (may_be_wanted(text.data() + quote)) look_at_key(text, quote);
  });
}

void EventScanner::look_at_key(std::string_view text, size_t quote) {
  switch (ending_at(text, quote)) {
    case ending("reason"):
      look_at_reason(text, quote);
      return;
    case ending("tokens"):
      if (has_usage_) look_at_tokens(text, quote);
      return;
    case ending("\"usage"):
      has_usage_ |= value_behind(text, quote).starts_with('{');
      return;
    case ending("_calls"):
      look_.has_text |= is_key(text, quote, "tool_calls") && is_some(text, quote, '[', ']');
      return;
    case ending("ontent"):
    case ending("\"delta"):
    case ending("soning"):
    case ending("inking"):
    case ending("l_json"):
    case ending("uments"):
    case ending("{\"text"):
    case ending(",\"text"):
    case ending(" \"text"):
      look_.has_text |= is_text(text, quote);
      return;
    default:
      return;
  }
}

void EventScanner::look_at_tokens(std::string_view text, size_t quote) {
  if (is_key(text, quote, "prompt_tokens") || is_key(text, quote, "input_tokens")) {
    look_.prompt_tokens = number_of(value_behind(text, quote));
  } else if (is_key(text, quote, "completion_tokens") || is_key(text, quote, "output_tokens")) {
    look_.completion_tokens = number_of(value_behind(text, quote));
  }
}

// A value that is cut off at the end of a window is seen again in the next one.
void EventScanner::look_at_reason(std::string_view text, size_t quote) {
  std::string_view value = value_behind(text, quote);
  if (!value.starts_with('"')) return;
  const bool is_finish = is_key(text, quote, "finish_reason");
  if (!is_finish && !(is_message_delta_ && is_key(text, quote, "stop_reason"))) return;
  value.remove_prefix(1);
  const size_t end = value.substr(0, sizeof finish_reason_ + 1).find('"');
  if (end == value.npos && value.size() <= sizeof finish_reason_) return;
  const size_t length = std::min(end, sizeof finish_reason_);
  std::copy_n(value.data(), length, finish_reason_);
  finish_length_ = static_cast<uint8_t>(length);
  if (!is_finish) return;
  look_.has_finish = true;
  if (finish_reason() == "abort") look_.is_abort = true;
}

}  // namespace weir::http
