// Writes JSON: objects of the first levels one member a line, everything below on one line. Who
// calls keeps begin and end in pairs. Strings have to be UTF-8. One thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir {

class JsonOut {
 public:
  // How many levels of objects are written one member a line; 0 = all on one line.
  explicit JsonOut(int open_levels = 2) : open_levels_(open_levels) {}

  JsonOut& key(std::string_view key);  // then a value, an object or an array

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  void text(std::string_view value);
  void number(double value);  // shortest that reads back; what is not finite is "inf" or null
  void boolean(bool value) { plain(value ? "true" : "false"); }
  void null() { plain("null"); }
  template <std::integral Whole>
  void number(Whole value) {
    plain(std::to_string(value));
  }

  // Members in short.
  void put(std::string_view name, std::string_view value) { key(name).text(value); }
  void put(std::string_view name, const char* value) { key(name).text(value); }
  void put(std::string_view name, bool value) { key(name).boolean(value); }
  template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>) &&
      (!std::same_as<Number, bool>)void put(std::string_view name, Number value) {
    key(name).number(value);
  }

  const std::string& written() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void plain(std::string_view value);
  void before_value();
  bool is_open(size_t depth) const { return static_cast<int>(depth) <= open_levels_; }

  int open_levels_;
  std::string out_;
  std::string open_;  // brackets not yet closed
  bool is_first_ = true;
  bool has_key_ = false;
};

}  // namespace weir
