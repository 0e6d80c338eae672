// What rewriting a request and rewriting a response share: fields that Connection names, rules,
// lines. Part of head_rewriter, not for others. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  bool has(std::string_view name) const { return count_ > 0 && is_listed(name); }

 private:
  static constexpr size_t kRemembered = 16;
  bool is_listed(std::string_view name) const;
  void add(std::string_view list);
  bool is_named_somewhere(std::string_view name) const;

  const FieldList& fields_;
  std::array<std::string_view, kRemembered> names_;
  size_t count_ = 0;
  bool has_more_ = false;
};

// What we add to the Via of a message that came as HTTP/1.`minor_version` (RFC 9110 7.6.3).
constexpr std::string_view via_of(int minor_version) {
  return minor_version == 0 ? "1.0 weir" : "1.1 weir";
}

// A set, remove or remove_prefix rule takes out what was there under this name.
bool is_removed_by_any(std::span<const HeaderRule> rules, std::string_view name);
inline bool is_removed(std::span<const HeaderRule> rules, std::string_view name) {
  return !rules.empty() && is_removed_by_any(rules, name);
}
// A set or add rule whose line may be written: not framing, not of one hop, no control characters.
bool adds(const HeaderRule& rule);

// Gathers lines and appends them to a string a few hundred bytes at a time: appending each piece
// by itself was half of what a rewritten head cost.
class LineWriter {
 public:
  explicit LineWriter(std::string* out) : out_(out) {}
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() { flush(); }

  LineWriter& text(std::string_view text) {
    if (text.empty()) return *this;
    if (text.size() > sizeof buffer_ - used_) return long_text(text);
    std::memcpy(buffer_ + used_, text.data(), text.size());
    used_ += text.size();
    return *this;
  }
  void line(std::string_view name, std::string_view value) {
    text(name).text(": ").text(value).text("\r\n");
  }
  void field(const Field& field) {
    if (field.is_whole_line) {
      text(field.whole_line());
    } else {
      line(field.name, field.value);
    }
  }
  void number(std::string_view name, uint64_t value);
  // Unless a rule takes the field out.
  void ours(std::span<const HeaderRule> rules, std::string_view name, std::string_view value) {
    if (!is_removed(rules, name)) line(name, value);
  }

 private:
  LineWriter& long_text(std::string_view text);
  void flush();

  std::string* out_;
  size_t used_ = 0;
  char buffer_[1024];
};

}  // namespace weir::http
