#include "lb/config/json_tree.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include <nlohmann/json.hpp>

namespace weir {
namespace {

using nlohmann::json;

// Tells how far the parser has read.
class CountingIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator() = default;
  CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_ = nullptr;
  size_t* count_ = nullptr;
};

// Offsets into lines and columns, asked in rising order.
class PlaceFinder {
 public:
  explicit PlaceFinder(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  JsonPlace at(size_t offset) const {
    const auto next = std::ranges::upper_bound(starts_, offset);
    const size_t line = static_cast<size_t>(next - starts_.begin());
    return {static_cast<uint32_t>(line), static_cast<uint32_t>(offset - starts_[line - 1] + 1)};
  }

  // Where the string ends whose closing quote is the last character that was read.
  JsonPlace of_string(size_t count) const {
    if (count < 2) return at(0);
    size_t i = count - 1;  // the closing quote; within a string every other one has a backslash
    while (i > 0) {
      --i;
      if (text_[i] != '"') continue;
      size_t backslashes = 0;
      while (backslashes < i && text_[i - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) break;
    }
    return at(i);
  }

  // Of a number the parser has read one character too many, except at the end of the text.
  JsonPlace of_word(size_t count) const {
    constexpr std::string_view kChars = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
    size_t end = std::min(count, text_.size());
    if (end > 0 && kChars.find(text_[end - 1]) == std::string_view::npos) --end;
    while (end > 0 && kChars.find(text_[end - 1]) != std::string_view::npos) --end;
    return at(end);
  }

  JsonPlace of_char(size_t count) const { return at(count == 0 ? 0 : count - 1); }

 private:
  std::string_view text_;
  std::vector<size_t> starts_;
};

// "syntax error while parsing value - unexpected …" without nlohmann's own numbers in front.
std::string plain_message(std::string message) {
  const size_t column = message.find(", column ");
  const size_t colon = column == std::string::npos ? column : message.find(": ", column);
  if (colon != std::string::npos) message.erase(0, colon + 2);
  const size_t read = message.find("; last read: ");
  if (read != std::string::npos) {
    const size_t end = message.find("; expected", read);
    message.erase(read, end == std::string::npos ? std::string::npos : end - read);
  }
  if (message.size() > 300) message.resize(300);
  return message;
}

// Builds the tree out of nlohmann's events.
class TreeBuilder final : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(std::string_view text, const size_t& count, JsonDocument& document)
      : text_(text), finder_(text), count_(count), document_(document) {}

  bool null() override { return add(JsonNode::Kind::null, finder_.of_word(count_)) != nullptr; }
  bool boolean(bool value) override {
    JsonNode* node = add(JsonNode::Kind::boolean, finder_.of_word(count_));
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }
  bool number_integer(number_integer_t value) override { return number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& written) override {
    JsonNode* node = add(JsonNode::Kind::real, finder_.of_word(count_));
    if (node != nullptr) node->text = written;
    return node != nullptr;
  }
  bool string(string_t& value) override {
    JsonNode* node = add(JsonNode::Kind::string, finder_.of_string(count_));
    if (node != nullptr) node->text = std::move(value);
    return node != nullptr;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(JsonNode::Kind::object); }
  bool start_array(size_t) override { return open(JsonNode::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    JsonNode* object = open_.back();
    const JsonPlace place = finder_.of_string(count_);
    const auto earlier = std::ranges::find(object->members, name, &JsonMember::key);
    if (earlier != object->members.end()) {
      document_.mistakes.push_back(
          {place, "duplicate key \"" + name + "\"",
           "it is also at line " + std::to_string(earlier->place.line) + "; keep one of them"});
    }
    object->members.push_back(JsonMember{std::move(name), place, {}});
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    const JsonPlace place = finder_.of_char(std::min(count_, text_.size()));
    document_.mistakes.push_back({place, plain_message(error.what()), help_for(count_)});
    return false;
  }

 private:
  bool number(std::string written) {
    JsonNode* node = add(JsonNode::Kind::integer, finder_.of_word(count_));
    if (node != nullptr) node->text = std::move(written);
    return node != nullptr;
  }

  JsonNode* add(JsonNode::Kind kind, JsonPlace place) {
    JsonNode* node = &document_.root;
    if (!open_.empty() && open_.back()->kind == JsonNode::Kind::array) {
      node = &open_.back()->items.emplace_back();
    } else if (!open_.empty()) {
      node = &open_.back()->members.back().value;
    }
    node->kind = kind;
    node->place = place;
    return node;
  }

  bool open(JsonNode::Kind kind) {
    const JsonPlace place = finder_.of_char(count_);
    if (open_.size() >= kDeepestJson) {
      document_.mistakes.push_back(
          {place, "nested deeper than " + std::to_string(kDeepestJson) + " levels", ""});
      return false;
    }
    open_.push_back(add(kind, place));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  // The most common slips, by what stands before the place.
  std::string help_for(size_t count) const {
    size_t i = count == 0 ? 0 : std::min(count, text_.size()) - 1;
    const bool is_closing = i < text_.size() && (text_[i] == '}' || text_[i] == ']');
    while (i > 0 && (text_[i - 1] == ' ' || text_[i - 1] == '\n' || text_[i - 1] == '\t' ||
                     text_[i - 1] == '\r')) {
      --i;
    }
    if (is_closing && i > 0 && text_[i - 1] == ',') return "remove the comma before it";
    return "";
  }

  std::string_view text_;
  PlaceFinder finder_;
  const size_t& count_;
  JsonDocument& document_;
  std::vector<JsonNode*>
      open_;  // a parent gets no new child while one is open, so these stay valid
};

}  // namespace

std::string kind_text(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::null:
      return "null";
    case JsonNode::Kind::boolean:
      return node.boolean ? "true" : "false";
    case JsonNode::Kind::integer:
    case JsonNode::Kind::real:
      return "the number " + node.text.substr(0, 40);
    case JsonNode::Kind::string:
      return "the string \"" + node.text.substr(0, 40) + "\"";
    case JsonNode::Kind::array:
      return "an array";
    case JsonNode::Kind::object:
      return "an object";
  }
  return "nothing";
}

JsonDocument parse_json(std::string_view text) {
  JsonDocument document;
  if (text.size() > kLargestJson) {
    document.mistakes.push_back({{}, "the file is larger than 4 MiB", ""});
    return document;
  }
  size_t count = 0;
  TreeBuilder builder(text, count, document);
  const CountingIterator begin(text.data(), &count);
  const CountingIterator end(text.data() + text.size(), &count);
  document.is_whole =
      json::sax_parse(begin, end, &builder, nlohmann::detail::input_format_t::json, true, true);
  return document;
}

}  // namespace weir
