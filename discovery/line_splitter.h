// Bytes into lines, at most 8 KiB each (longer ones are cut). Pure; owned by whoever reads a
// process's output.
#pragma once

#include <string>
#include <string_view>

#include "weir/callback.h"

namespace weir {

class LineSplitter {
 public:
  static constexpr size_t kLongestLine = 8192;

  explicit LineSplitter(Callback<std::string_view> on_line) : on_line_(on_line) {}

  void add(std::string_view bytes);
  void finish();  // an unended last line is one too

 private:
  void finish_line();

  Callback<std::string_view> on_line_;
  std::string begun_;
};

}  // namespace weir
