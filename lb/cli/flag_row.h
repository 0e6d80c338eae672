// A command's options as data: a table next to its flags, so that the option parser needs one loop
// for all of them and stays in one file. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir {

// Where an option's value goes: into one member of Flags.
template <typename Flags>
struct FlagRow {
  using Plain = std::string;
  using Text = std::optional<std::string>;
  using List = std::vector<std::string>;
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  constexpr FlagRow(const char* n, const char* t, Plain Flags::*to, const char* h)
      : name(n), type(t), help(h), plain(to) {}
  constexpr FlagRow(const char* n, const char* t, Text Flags::*to, const char* h)
      : name(n), type(t), help(h), text(to) {}
  constexpr FlagRow(const char* n, const char* t, List Flags::*to, const char* h)
      : name(n), type(t), help(h), list(to) {}
  constexpr FlagRow(const char* n, const char* t, Pairs Flags::*to, const char* h)
      : name(n), type(t), help(h), pairs(to) {}
  constexpr FlagRow(const char* n, bool Flags::*to, const char* h) : name(n), help(h), toggle(to) {}

  const char* name;       // "-H,--header"
  const char* type = "";  // what --help shows as its value
  const char* help;
  Plain Flags::*plain = nullptr;
  Text Flags::*text = nullptr;    // the last one counts
  List Flags::*list = nullptr;    // may come several times
  Pairs Flags::*pairs = nullptr;  // the same with two words each
  bool Flags::*toggle = nullptr;
};

}  // namespace weir
