// How long prompts and answers are: a fixed number of tokens or a distribution. Value types; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"

#include "bench/engine/dice.h"

namespace weir {

inline constexpr uint32_t kLongestPrompt = 10'000'000;  // tokens

struct LengthChoice {
  enum class Kind : uint8_t { fixed, uniform, normal, lognormal } kind = Kind::fixed;
  double a = 0;  // fixed: the length; uniform: least; normal: mean; lognormal: median
  double b = 0;  // uniform: most; normal: deviation; lognormal: sigma of the logarithm
  uint32_t least = 1;
  uint32_t most = kLongestPrompt;

  uint32_t choose(Dice& dice) const;
  std::string to_string() const;  // "512", "lognormal 600, sigma 0.8"
};

// "512", "uniform:100-900", "normal:500,100", "lognormal:600,0.8"; the latter two may end in
// ",min=N" and ",max=N".
Result<LengthChoice, Problem> parse_length_choice(std::string_view text);

// A number from `least` to `most`, nothing else in the text; false if it is none.
bool parse_number(std::string_view text, double least, double most, double* value);

}  // namespace weir
