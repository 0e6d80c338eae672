// `weir completion SHELL`: what the command line knows, as a script that completes it. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

namespace weir {

struct CompletionOption {
  std::vector<std::string> names;  // "--policy", "-c"
  std::vector<std::string> words;  // what may follow it; empty = anything
  bool takes_value = false;
};

struct CompletionCommand {
  std::string name;
  std::string help;
  std::vector<CompletionOption> options;
  std::vector<std::string> words;  // that are no options: of explain its codes
};

// bash, zsh or fish.
Result<std::string, Problem> completion_script(std::string_view shell,
                                               const std::vector<CompletionCommand>& commands);

// The words of "a|b|c", of "N|auto" the last, of "FILE" or "[=PATH|=off]" none: only what can be
// typed as it stands.
std::vector<std::string> words_of(std::string_view value);

}  // namespace weir
