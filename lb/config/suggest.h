// "Did you mean …?": the nearest of some known words. Pure; any thread.
#pragma once

#include <span>
#include <string_view>

namespace weir {

// The one of `known` that is at most two slips (a letter too many, missing, wrong, or two swapped)
// from `word`, and less than half of the word; empty when none is. Underscores, dashes and case are
// no slips.
std::string_view suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir
