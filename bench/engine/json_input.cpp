#include "bench/engine/json_input.h"

#include <time.h>

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace weir {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostTokens = kLongestPrompt;

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

// The number of the first of `keys` that is there and is one; -1 if none.
double number_of(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_number()) return found->get<double>();
  }
  return -1;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Problem bad_line(std::string what) {
  return {std::move(what), ""};
}

std::string list_inside(const Json& list) {
  const std::string text = dump(list);
  return text.substr(1, text.size() - 2);
}

// ShareGPT: the first turn of a human.
bool take_conversation(const Json& list, PromptItem* item) {
  for (const Json& turn : list) {
    if (!turn.is_object()) return false;
    const std::string from = turn.value("from", "");
    if (from != "human" && from != "user") continue;
    item->text = turn.value("value", "");
    return !item->text.empty();
  }
  return false;
}

bool take_prompt(const Json& value, PromptItem* item) {
  if (value.is_string()) {
    item->text = value.get<std::string>();
    return true;
  }
  const auto is_id = [](const Json& id) { return id.is_number_unsigned(); };
  if (!value.is_array() || value.empty() || !std::ranges::all_of(value, is_id)) return false;
  item->prompt_json = dump(value);
  return true;
}

}  // namespace

std::string first_model(std::string_view json) {
  const Json parsed = parse(json);
  if (!parsed.is_object() || !parsed.contains("data") || !parsed["data"].is_array()) return {};
  for (const Json& model : parsed["data"]) {
    if (model.is_object() && model.contains("id") && model["id"].is_string()) {
      return model["id"].get<std::string>();
    }
  }
  return {};
}

std::optional<int64_t> token_count(std::string_view json) {
  const Json parsed = parse(json);
  if (!parsed.is_object()) return std::nullopt;
  const double count = number_of(parsed, {"count"});
  if (count < 0) return std::nullopt;
  return static_cast<int64_t>(count);
}

Result<std::vector<std::pair<std::string, std::string>>, Problem> parse_members(
    std::string_view json) {
  const Json parsed = parse(json);
  if (!parsed.is_object()) {
    return Problem{"expected a JSON object, got \"" + std::string(json.substr(0, 80)) + "\"",
                   "write it like '{\"temperature\": 0.7}'"};
  }
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [key, value] : parsed.items()) members.emplace_back(key, dump(value));
  return members;
}

Result<PromptItem, Problem> parse_prompt_line(std::string_view json) {
  const Json parsed = parse(json);
  PromptItem item;
  if (parsed.is_string()) {
    item.text = parsed.get<std::string>();
    return item;
  }
  if (!parsed.is_object()) return bad_line("expected a JSON object or string");
  const double output = number_of(parsed, {"output_tokens", "max_tokens", "output_length"});
  if (output >= 1 && output <= static_cast<double>(kMostTokens)) {
    item.output_tokens = static_cast<int32_t>(output);
  }
  if (const auto messages = parsed.find("messages"); messages != parsed.end()) {
    if (!messages->is_array() || messages->empty()) return bad_line("\"messages\" is no list");
    item.messages = list_inside(*messages);
    return item;
  }
  if (const auto prompt = parsed.find("prompt"); prompt != parsed.end()) {
    if (!take_prompt(*prompt, &item)) return bad_line("\"prompt\" is neither text nor token ids");
    return item;
  }
  const auto conversation = parsed.find("conversations");
  if (conversation != parsed.end() && conversation->is_array() &&
      take_conversation(*conversation, &item)) {
    return item;
  }
  return bad_line("there is no \"prompt\", \"messages\" or \"conversations\"");
}

Result<std::optional<TraceLine>, Problem> parse_trace_line(std::string_view json) {
  const Json parsed = parse(json);
  if (!parsed.is_object()) return bad_line("expected a JSON object");
  TraceLine line;
  line.time = number_of(parsed, {"timestamp", "ts"});
  if (const auto stamp = parsed.find("ts"); stamp != parsed.end() && stamp->is_string()) {
    const std::optional<double> time = parse_date_time(stamp->get_ref<const std::string&>());
    if (!time) return bad_line("\"ts\" is no date and time");
    line.time = *time;
  }
  line.is_wall_clock = parsed.contains("ts");
  if (line.time < 0) return bad_line("there is no \"timestamp\" or \"ts\"");
  const double input = number_of(parsed, {"input_length", "tok_in"});
  const double output = number_of(parsed, {"output_length", "tok_out"});
  if (line.is_wall_clock && (input < 1 || output < 1)) return std::optional<TraceLine>();
  const auto is_length = [](double length) {
    return length >= 0 && length <= static_cast<double>(kMostTokens);
  };
  if (!is_length(input) || !is_length(output)) {
    return bad_line("there is no \"input_length\" and \"output_length\"");
  }
  line.item.input_tokens = static_cast<uint32_t>(std::max(1.0, input));
  line.item.output_tokens = static_cast<uint32_t>(std::max(1.0, output));
  if (const auto blocks = parsed.find("hash_ids"); blocks != parsed.end() && blocks->is_array()) {
    for (const Json& block : *blocks) {
      if (!block.is_number_integer()) return bad_line("\"hash_ids\" is no list of numbers");
      line.item.blocks.push_back(block.get<uint64_t>());
    }
  }
  return std::optional(std::move(line));
}

std::optional<double> parse_date_time(std::string_view text) {
  int parts[6] = {};
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  if (text.size() < kShape.size()) return std::nullopt;
  size_t part = 0;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[i];
    if (kShape[i] != 'd') {
      if (c != kShape[i] && !(kShape[i] == ' ' && c == 'T')) return std::nullopt;
      ++part;
    } else if (c < '0' || c > '9') {
      return std::nullopt;
    } else {
      parts[part] = parts[part] * 10 + (c - '0');
    }
  }
  tm date{};
  date.tm_year = parts[0] - 1900;
  date.tm_mon = parts[1] - 1;
  date.tm_mday = parts[2];
  date.tm_hour = parts[3];
  date.tm_min = parts[4];
  date.tm_sec = parts[5];
  double fraction = 0;
  std::string_view rest = text.substr(kShape.size());
  if (rest.starts_with('.')) {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    const std::string digits = "0" + std::string(rest.substr(0, end));
    std::from_chars(digits.data(), digits.data() + digits.size(), fraction);
  }
  return static_cast<double>(::timegm(&date)) + fraction;
}

}  // namespace weir
