// `weir explain CODE`: what an error code or a backend's state means, and what to do. Pure; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"

namespace weir {

// A Problem names the codes there are when `code` is none of them.
Result<std::string, Problem> explain(const std::string& code);

// All the words that explain() knows, sorted.
std::vector<std::string> explained_words();

}  // namespace weir
