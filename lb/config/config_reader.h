// A cursor into a JSON object that knows its path, takes known keys out of it and collects every
// mistake: what, where, one action that helps. Lives only while a file is read; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"
#include "weir/timer.h"

#include "lb/config/json_tree.h"

namespace weir {

class ConfigReader {
 public:
  // `path` as people write it, "pools.default.queue"; empty for the root. All three outlive the
  // reader.
  ConfigReader(const JsonNode& node, std::string path, std::vector<JsonMistake>& mistakes);

  bool has(std::string_view key) { return value(key) != nullptr; }
  JsonPlace place() const { return node_.place; }

  // A string that `parse` turns into a T; the default stays if the key is absent.
  template <typename T>
  void text(std::string_view key, T& target, Result<T, Problem> (*parse)(std::string_view)) {
    take(key, find_text(key, false), target, parse);
  }
  // The same, a whole number without quotes is fine too ("unlimited" or 2000).
  template <typename T>
  void text_or_number(std::string_view key, T& target,
                      Result<T, Problem> (*parse)(std::string_view)) {
    take(key, find_text(key, true), target, parse);
  }
  void duration(std::string_view key, Duration& target, Duration least, Duration most);
  void size(std::string_view key, size_t& target, size_t least, size_t most);
  void count(std::string_view key, uint32_t& target, uint32_t least, uint32_t most);
  void share(std::string_view key, double& target);  // 0 to 1, a number without quotes
  void flag(std::string_view key, bool& target);

  // Nested values, as cursors; nothing if absent or (a mistake) of another kind.
  std::optional<ConfigReader> object(std::string_view key);
  const JsonNode* value(std::string_view key);  // of any kind; nullptr if absent
  std::vector<const JsonNode*> array(std::string_view key);
  std::vector<JsonMember const*> members();

  void mistake(std::string_view key, const std::string& what, const std::string& help = {});
  void mistake_at(JsonPlace place, const std::string& what, const std::string& help = {});

  // Last: whatever was not asked for. `later` are keys of the plan that this version does not have.
  void reject_unknown_keys(std::span<const std::string_view> later = {});

  std::string path_of(std::string_view key) const;

 private:
  const JsonNode* find(std::string_view key) const;
  std::optional<std::string> find_text(std::string_view key, bool or_number);

  template <typename T>
  void take(std::string_view key, const std::optional<std::string>& given, T& target,
            Result<T, Problem> (*parse)(std::string_view)) {
    if (!given) return;
    Result<T, Problem> value = parse(*given);
    if (value) {
      target = std::move(*value);
    } else {
      mistake(key, value.error().what, value.error().help);
    }
  }

  const JsonNode& node_;
  std::string path_;
  std::vector<JsonMistake>& mistakes_;
  std::vector<std::string> known_;
};

}  // namespace weir
