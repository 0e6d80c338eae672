// What rewriting a request and rewriting a response share: fields that Connection names, rules,
// lines. Part of head_rewriter, not for others. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lb/http/head_rewriter.h"

namespace weir::http {

// The fields that Connection names, to be dropped with it. The first few are remembered; are there
// more, the Connection fields are read again for each name.
class NamedByConnection {
 public:
  explicit NamedByConnection(const FieldList& fields);
  bool has(std::string_view name) const;

 private:
  static constexpr size_t kRemembered = 16;
  void add(std::string_view list);
  bool is_named_somewhere(std::string_view name) const;

  const FieldList& fields_;
  std::array<std::string_view, kRemembered> names_;
  size_t count_ = 0;
  bool has_more_ = false;
};

// A set, remove or remove_prefix rule takes out what was there under this name.
bool is_removed(std::span<const HeaderRule> rules, std::string_view name);
// A set or add rule whose line may be written: not framing, not of one hop, no control characters.
bool adds(const HeaderRule& rule);

void put(std::string_view name, std::string_view value, std::string* out);
void put_number(std::string_view name, uint64_t value, std::string* out);
// Unless a rule takes the field out.
void put_ours(std::span<const HeaderRule> rules, std::string_view name, std::string_view value,
              std::string* out);

}  // namespace weir::http
