#include "lb/cli/messages.h"

#include <cstdio>
#include <string>

namespace weir {
namespace {

// One write a message, so that lines of several processes do not mix.
void to_stderr(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void print_error(const Problem& problem, std::string_view where) {
  std::string text = "weir: error: " + problem.what + "\n";
  if (!where.empty()) text += "  at " + std::string(where) + "\n";
  if (!problem.help.empty()) text += "help: " + problem.help + "\n";
  to_stderr(text);
}

void print_errors(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) print_error(problem);
}

void print_note(std::string_view text) {
  to_stderr("weir: note: " + std::string(text) + "\n");
}

bool print_result(std::string_view text) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && is_written;
}

}  // namespace weir
