#include "discovery/line_splitter.h"

#include <algorithm>

namespace weir {

void LineSplitter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const size_t room = kLongestLine - begun_.size();
    const size_t taken = std::min({end, bytes.size(), room});
    begun_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool is_ended = !bytes.empty() && bytes.front() == '\n';
    if (is_ended) bytes.remove_prefix(1);
    if (is_ended || begun_.size() == kLongestLine) finish_line();
  }
}

void LineSplitter::finish() {
  if (!begun_.empty()) finish_line();
}

void LineSplitter::finish_line() {
  const std::string line = std::move(begun_);
  begun_.clear();
  std::string_view view = line;
  if (view.ends_with('\r')) view.remove_suffix(1);
  on_line_(view);
}

}  // namespace weir
