#include "lb/config/config_reader.h"

#include <algorithm>

#include "lb/config/suggest.h"
#include "lb/config/units.h"

namespace weir {

ConfigReader::ConfigReader(const JsonNode& node, std::string path,
                           std::vector<JsonMistake>& mistakes)
    : node_(node), path_(std::move(path)), mistakes_(mistakes) {}

void ConfigReader::duration(std::string_view key, Duration& target, Duration least, Duration most) {
  Duration value = target;
  const size_t before = mistakes_.size();
  text(key, value, &parse_duration);
  if (mistakes_.size() != before || (value >= least && value <= most)) {
    target = value;
    return;
  }
  mistake(key, "expected a duration from " + duration_text(least) + " to " + duration_text(most) +
                   ", got \"" + duration_text(value) + "\"");
}

void ConfigReader::size(std::string_view key, size_t& target, size_t least, size_t most) {
  size_t value = target;
  const size_t before = mistakes_.size();
  text(key, value, &parse_size);
  if (mistakes_.size() != before || (value >= least && value <= most)) {
    target = value;
    return;
  }
  mistake(key, "expected a size from " + size_text(least) + " to " + size_text(most) + ", got \"" +
                   size_text(value) + "\"");
}

void ConfigReader::count(std::string_view key, uint32_t& target, uint32_t least, uint32_t most) {
  const JsonNode* node = value(key);
  if (node == nullptr) return;
  const Result<uint64_t, Problem> value = parse_count(node->text, least, most);
  if (node->kind == JsonNode::Kind::integer && value) {
    target = static_cast<uint32_t>(*value);
    return;
  }
  mistake(key, "expected a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ", got " + kind_text(*node));
}

void ConfigReader::share(std::string_view key, double& target) {
  const JsonNode* node = value(key);
  if (node == nullptr) return;
  const bool is_number =
      node->kind == JsonNode::Kind::integer || node->kind == JsonNode::Kind::real;
  const Result<double, Problem> value = parse_share(node->text);
  if (is_number && value) {
    target = *value;
    return;
  }
  mistake(key, "expected a number from 0 to 1, got " + kind_text(*node),
          is_number ? "" : "write it without quotes, like 0.2");
}

void ConfigReader::flag(std::string_view key, bool& target) {
  const JsonNode* node = value(key);
  if (node == nullptr) return;
  if (node->kind == JsonNode::Kind::boolean) {
    target = node->boolean;
  } else {
    mistake(key, "expected true or false, got " + kind_text(*node));
  }
}

std::optional<ConfigReader> ConfigReader::object(std::string_view key) {
  const JsonNode* node = value(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == JsonNode::Kind::object) return ConfigReader(*node, path_of(key), mistakes_);
  mistake(key, "expected an object, got " + kind_text(*node));
  return std::nullopt;
}

std::vector<const JsonNode*> ConfigReader::array(std::string_view key) {
  const JsonNode* node = value(key);
  std::vector<const JsonNode*> items;
  if (node == nullptr) return items;
  if (node->kind != JsonNode::Kind::array) {
    mistake(key, "expected an array, got " + kind_text(*node));
  }
  for (const JsonNode& item : node->items) items.push_back(&item);
  return items;
}

std::vector<const JsonMember*> ConfigReader::members() {
  std::vector<const JsonMember*> out;
  for (const JsonMember& member : node_.members) {
    known_.push_back(member.key);
    out.push_back(&member);
  }
  return out;
}

void ConfigReader::mistake(std::string_view key, const std::string& what, const std::string& help) {
  const JsonNode* node = find(key);
  mistake_at(node == nullptr ? node_.place : node->place, path_of(key) + ": " + what, help);
}

void ConfigReader::mistake_at(JsonPlace place, const std::string& what, const std::string& help) {
  mistakes_.push_back({place, what, help});
}

void ConfigReader::reject_unknown_keys(std::span<const std::string_view> later) {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  const std::string inside = path_.empty() ? "" : " in " + path_;
  for (const JsonMember& member : node_.members) {
    if (std::ranges::find(known, member.key) != known.end()) continue;
    if (std::ranges::find(later, member.key) != later.end()) {
      mistake_at(member.place, "\"" + member.key + "\"" + inside + " is not in this version",
                 "leave it out");
      continue;
    }
    const std::string_view near = suggest(member.key, known);
    mistake_at(member.place, "unknown key \"" + member.key.substr(0, 80) + "\"" + inside,
               near.empty() ? "docs/configuration.md lists the keys"
                            : "did you mean \"" + std::string(near) + "\"?");
  }
}

std::string ConfigReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const JsonNode* ConfigReader::find(std::string_view key) const {
  const auto member = std::ranges::find(node_.members, key, &JsonMember::key);
  return member == node_.members.end() ? nullptr : &member->value;
}

const JsonNode* ConfigReader::value(std::string_view key) {
  known_.emplace_back(key);
  return find(key);
}

std::optional<std::string> ConfigReader::find_text(std::string_view key, bool or_number) {
  const JsonNode* node = value(key);
  if (node == nullptr) return std::nullopt;
  const bool is_number = node->kind == JsonNode::Kind::integer;
  if (node->kind == JsonNode::Kind::string || (or_number && is_number)) return node->text;
  mistake(key, "expected a string, got " + kind_text(*node),
          is_number && !or_number ? "write it in quotes, with its unit if it has one" : "");
  return std::nullopt;
}

}  // namespace weir
