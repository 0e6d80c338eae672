// What rewriting a request and rewriting a response share: fields that Connection names, rules,
// lines. Part of head_rewriter, not for others. Pure.
#pragma once

#include <algorithm>
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
  template <typename Head>
  explicit NamedByConnection(const Head& head) : fields_(head.fields) {
    if (head.names_fields) read();
  }
  bool has_any() const { return count_ > 0; }
  bool has(std::string_view name) const { return count_ > 0 && is_listed(name); }

 private:
  static constexpr size_t kRemembered = 16;
  struct Name {
    const char* data;
    size_t size;
  };
  void read();
  void add(std::string_view list);
  bool is_listed(std::string_view name) const;
  bool is_named_somewhere(std::string_view name) const;

  const FieldList& fields_;
  std::array<Name, kRemembered> names_;  // the first count_ are set
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
// by itself was half of what a rewritten head cost. Literals are copied without a call.
class LineWriter {
 public:
  explicit LineWriter(std::string* out) : out_(out) {}
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() { flush(); }

  [[gnu::always_inline]] LineWriter& text(std::string_view text) {
    if (text.size() > sizeof buffer_ - used_) return long_text(text);
    put(text);
    return *this;
  }
  template <size_t N>
  LineWriter& literal(const char (&text)[N]) {
    if (N - 1 > sizeof buffer_ - used_) return long_text({text, N - 1});
    put(text);
    return *this;
  }
  // `name_colon` = "Name: ".
  template <size_t N>
  void line(const char (&name_colon)[N], std::string_view value) {
    if (N + 1 + value.size() > sizeof buffer_ - used_) {
      literal(name_colon).text(value).literal("\r\n");
      return;
    }
    put(name_colon);
    put(value);
    put("\r\n");
  }
  void line(const Field& field) {
    text(field.name).literal(": ").text(field.value).literal("\r\n");
  }
  template <size_t N>
  void number(const char (&name_colon)[N], uint64_t value) {
    literal(name_colon).digits(value).literal("\r\n");
  }
  // Unless a rule takes the field out.
  template <size_t N>
  void ours(std::span<const HeaderRule> rules, const char (&name_colon)[N],
            std::string_view value) {
    if (!is_removed(rules, {name_colon, N - 3})) line(name_colon, value);
  }

 private:
  template <size_t N>
  void put(const char (&text)[N]) {
    std::memcpy(buffer_ + used_, text, N - 1);
    used_ += N - 1;
  }
  void put(std::string_view text) {
    std::copy_n(text.data(), text.size(), buffer_ + used_);
    used_ += text.size();
  }
  LineWriter& digits(uint64_t value);
  LineWriter& long_text(std::string_view text);
  void flush();

  std::string* out_;
  size_t used_ = 0;
  char buffer_[1024];
};

// Lines of a head that came, on their way into another: what stood together goes together.
class LineCopier {
 public:
  explicit LineCopier(LineWriter* out) : out_(out) {}
  LineCopier(const LineCopier&) = delete;
  LineCopier& operator=(const LineCopier&) = delete;
  ~LineCopier() { flush(); }

  void line(std::string_view whole) {
    if (whole.data() != run_.data() + run_.size()) {
      flush();
      run_ = whole;
    } else {
      run_ = {run_.data(), run_.size() + whole.size()};
    }
  }
  void field(const Field& field) {
    if (field.is_whole_line) {
      line(field.whole_line());
    } else {
      flush();
      out_->line(field);
    }
  }
  void flush() {
    if (!run_.empty()) out_->text(run_);
    run_ = {};
  }

 private:
  LineWriter* out_;
  std::string_view run_;
};

}  // namespace weir::http
