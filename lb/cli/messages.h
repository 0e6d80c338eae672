// What weir says on stderr about itself: errors, notes. Main thread.
#pragma once

#include <string_view>
#include <vector>

#include "weir/result.h"

namespace weir {

// weir: error: WHAT
//   at WHERE            (when there is one)
// help: HELP            (when there is one)
void print_error(const Problem& problem, std::string_view where = {});
void print_errors(const std::vector<Problem>& problems);
void print_note(std::string_view text);

// Results; stdout. False when it could not be written (a full disk, a closed pipe).
[[nodiscard]] bool print_result(std::string_view text);

}  // namespace weir
