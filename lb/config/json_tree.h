// A JSON document with comments as a tree that knows where in the text each value and key stands,
// and which keys were written twice. Lines and columns count from 1, columns in bytes. Pure; value
// types, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct JsonPlace {
  uint32_t line = 0;  // 0 = unknown
  uint32_t column = 0;
  bool operator==(const JsonPlace&) const = default;
};

struct JsonMember;

struct JsonNode {
  enum class Kind : uint8_t { null, boolean, integer, real, string, array, object };
  Kind kind = Kind::null;
  JsonPlace place;
  bool boolean = false;
  std::string text;  // of a string its value; of a number as it was written
  std::vector<JsonNode> items;
  std::vector<JsonMember> members;
};

struct JsonMember {
  std::string key;
  JsonPlace place;  // of the key
  JsonNode value;
};

// "a string", "an object", "the number 30"
std::string kind_text(const JsonNode& node);

struct JsonMistake {
  JsonPlace place;
  std::string what;
  std::string help;
};

inline constexpr size_t kLargestJson = size_t{4} << 20;
inline constexpr size_t kDeepestJson = 32;

struct JsonDocument {
  JsonNode root;
  std::vector<JsonMistake>
      mistakes;  // a syntax error is the last one, and then root is not to be used
  bool is_whole = false;
};

JsonDocument parse_json(std::string_view text);

}  // namespace weir
