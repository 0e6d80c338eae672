#include "bench/engine/length_choice.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr double kMost = kLongestPrompt;

Problem not_a_length(std::string_view text) {
  return {"expected a length in tokens, got \"" + std::string(text.substr(0, 80)) + "\"",
          "write 512, uniform:100-900, normal:500,100 or lognormal:600,0.8,max=8000"};
}

// Takes ",min=N" and ",max=N" off the end.
bool take_bounds(std::string_view* text, LengthChoice* choice) {
  while (true) {
    const size_t comma = text->rfind(',');
    if (comma == text->npos) return true;
    const std::string_view last = text->substr(comma + 1);
    if (!last.starts_with("min=") && !last.starts_with("max=")) return true;
    double bound = 0;
    if (!parse_number(last.substr(4), 1, kMost, &bound)) return false;
    (last.starts_with("min=") ? choice->least : choice->most) = static_cast<uint32_t>(bound);
    *text = text->substr(0, comma);
  }
}

bool read_pair(std::string_view text, char between, LengthChoice* choice) {
  const size_t at = text.find(between);
  return at != text.npos && parse_number(text.substr(0, at), 0, kMost, &choice->a) &&
         parse_number(text.substr(at + 1), 0, kMost, &choice->b);
}

}  // namespace

bool parse_number(std::string_view text, double least, double most, double* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= least &&
         *value <= most;
}

uint32_t LengthChoice::choose(Dice& dice) const {
  double length = a;
  if (kind == Kind::uniform) length = a + std::floor(dice.uniform() * (b - a + 1));
  if (kind == Kind::normal) length = std::round(a + b * dice.normal());
  if (kind == Kind::lognormal) length = std::round(a * std::exp(b * dice.normal()));
  return static_cast<uint32_t>(
      std::clamp(length, static_cast<double>(least), static_cast<double>(most)));
}

std::string LengthChoice::to_string() const {
  switch (kind) {
    case Kind::fixed:
      break;
    case Kind::uniform:
      return fmt::format("{}-{}", a, b);
    case Kind::normal:
      return fmt::format("normal {} ± {}", a, b);
    case Kind::lognormal:
      return fmt::format("lognormal {}, sigma {}", a, b);
  }
  return fmt::format("{}", a);
}

Result<LengthChoice, Problem> parse_length_choice(std::string_view text) {
  LengthChoice choice;
  std::string_view rest = text;
  const size_t colon = rest.find(':');
  if (colon == rest.npos) {
    double length = 0;
    if (!parse_number(rest, 1, kMost, &length) || length != std::floor(length)) {
      return not_a_length(text);
    }
    choice.a = length;
    return choice;
  }
  const std::string_view name = rest.substr(0, colon);
  rest.remove_prefix(colon + 1);
  bool is_read = take_bounds(&rest, &choice) && choice.least <= choice.most;
  if (name == "uniform") {
    choice.kind = LengthChoice::Kind::uniform;
    is_read = is_read && read_pair(rest, '-', &choice) && choice.a >= 1 && choice.a <= choice.b;
  } else if (name == "normal" || name == "lognormal") {
    choice.kind = name == "normal" ? LengthChoice::Kind::normal : LengthChoice::Kind::lognormal;
    is_read = is_read && read_pair(rest, ',', &choice) && choice.a >= 1 &&
              (name == "normal" || choice.b <= 10);
  } else {
    is_read = false;
  }
  if (!is_read) return not_a_length(text);
  return choice;
}

}  // namespace weir
