// Every key of the config file with its kind and meaning: one list that feeds the example, the
// docs, the schema and the tests. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

enum class SettingKind : uint8_t {
  text,               // a string
  address,            // "host:port", ":port", "unix:/path"
  duration,           // "30s"
  duration_or_off,    // "30s" or "off"
  size,               // "64KiB"
  count,              // 12
  count_or_no_limit,  // 12 or "unlimited"
  count_or_auto,      // 12 or "auto"
  share,              // 0.2
  flag,               // true, false
  choice,             // one of some words
  texts,              // an array of strings
};
std::string_view to_string(SettingKind kind) noexcept;

struct Setting {
  std::string_view path;  // "listen[].idle"; the keys of a pool without "pools.NAME."
  SettingKind kind;
  std::string_view choices;  // of a choice: "a|b"
  std::string_view flag;     // of the command line; empty = none
  std::string_view meaning;  // half a sentence
};

std::span<const Setting> all_settings();
const Setting* find_setting(std::string_view path);

}  // namespace weir
