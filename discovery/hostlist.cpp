#include "discovery/hostlist.h"

#include <charconv>
#include <optional>
#include <unordered_set>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr size_t kMaxNameLength = 1024;

struct Range {
  uint64_t low = 0;
  uint64_t high = 0;
  size_t width = 0;  // digits of the low end as written
};

// A piece of an item: literal text, or the ranges of one group.
struct Piece {
  std::string text;
  std::vector<Range> ranges;  // empty = text
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_separator(char c) {
  return c == ',' || is_blank(c);
}

std::string quoted(std::string_view text) {
  constexpr size_t kLongest = 80;
  if (text.size() <= kLongest) return fmt::format("\"{}\"", text);
  return fmt::format("\"{}...\"", text.substr(0, kLongest));
}

Problem bad(std::string_view item, std::string_view why) {
  return {fmt::format("bad host list item {}: {}", quoted(item), why),
          "write it as Slurm does, for example gpu[01-08],cn-[1-2]"};
}

std::optional<uint64_t> parse_number(std::string_view digits) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

// "01-3", "7"
Result<Range, Problem> parse_range(std::string_view item, std::string_view text) {
  const size_t dash = text.find('-');
  const std::string_view low = text.substr(0, dash);
  const std::string_view high = dash == std::string_view::npos ? low : text.substr(dash + 1);
  const auto low_value = parse_number(low);
  const auto high_value = parse_number(high);
  if (!low_value || !high_value) {
    return bad(item, fmt::format("{} is not a number or a range of numbers", quoted(text)));
  }
  if (*high_value < *low_value) return bad(item, fmt::format("range {} runs down", quoted(text)));
  if (*high_value - *low_value >= kMaxHosts) {
    return bad(item, fmt::format("range {} has more than {} numbers", quoted(text), kMaxHosts));
  }
  return Range{*low_value, *high_value, low.size()};
}

Result<std::vector<Range>, Problem> parse_group(std::string_view item, std::string_view inside) {
  std::vector<Range> ranges;
  while (true) {
    const size_t comma = inside.find(',');
    auto range = parse_range(item, inside.substr(0, comma));
    if (!range) return range.error();
    ranges.push_back(*range);
    if (ranges.size() > kMaxHosts) return bad(item, "too many ranges");
    if (comma == std::string_view::npos) return ranges;
    inside.remove_prefix(comma + 1);
  }
}

Result<std::vector<Piece>, Problem> parse_item(std::string_view item) {
  std::vector<Piece> pieces;
  std::string_view rest = item;
  while (!rest.empty()) {
    const size_t open = rest.find_first_of("[]");
    const std::string_view text = rest.substr(0, open);
    if (!text.empty()) pieces.push_back({std::string(text), {}});
    if (open == std::string_view::npos) break;
    if (rest[open] == ']') return bad(item, "a \"]\" without its \"[\"");
    const size_t close = rest.find_first_of("[]", open + 1);
    if (close == std::string_view::npos || rest[close] == '[') {
      return bad(item, "a \"[\" without its \"]\"");
    }
    auto ranges = parse_group(item, rest.substr(open + 1, close - open - 1));
    if (!ranges) return ranges.error();
    pieces.push_back({{}, std::move(*ranges)});
    rest.remove_prefix(close + 1);
  }
  return pieces;
}

// The names so far, each followed by each number of the group.
Result<std::vector<std::string>, Problem> multiply(std::string_view item,
                                                   const std::vector<std::string>& names,
                                                   const std::vector<Range>& ranges) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    for (const Range& range : ranges) {
      for (uint64_t number = range.low; number <= range.high; ++number) {
        if (result.size() == kMaxHosts) {
          return bad(item, fmt::format("more than {} names", kMaxHosts));
        }
        result.push_back(fmt::format("{}{:0{}}", name, number, range.width));
      }
    }
  }
  return result;
}

Result<std::vector<std::string>, Problem> expand_item(std::string_view item) {
  auto pieces = parse_item(item);
  if (!pieces) return pieces.error();
  std::vector<std::string> names{""};
  for (const Piece& piece : *pieces) {
    if (piece.ranges.empty()) {
      for (std::string& name : names) name += piece.text;
      continue;
    }
    auto longer = multiply(item, names, piece.ranges);
    if (!longer) return longer.error();
    names = std::move(*longer);
  }
  if (names.front().size() > kMaxNameLength) return bad(item, "a name of more than 1024 bytes");
  return names;
}

// Length of the item at the beginning of `text`: separators inside brackets belong to it.
size_t item_length(std::string_view text) {
  bool is_inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') is_inside = true;
    if (text[i] == ']') is_inside = false;
    if (!is_inside && is_separator(text[i])) return i;
  }
  return text.size();
}

}  // namespace

Result<std::vector<std::string>, Problem> expand_hostlist(std::string_view expression) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  for (std::string_view rest = expression; !rest.empty();) {
    if (is_separator(rest.front())) {
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view item = rest.substr(0, item_length(rest));
    auto expanded = expand_item(item);
    if (!expanded) return expanded.error();
    for (std::string& name : *expanded) {
      if (!seen.insert(name).second) continue;
      if (names.size() == kMaxHosts) return bad(item, fmt::format("more than {} names", kMaxHosts));
      names.push_back(std::move(name));
    }
    rest.remove_prefix(item.size());
  }
  return names;
}

}  // namespace weir
