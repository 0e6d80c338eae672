#include "lb/http/trailer_filter.h"

#include <algorithm>
#include <array>

#include "lb/http/ascii.h"
#include "lb/http/field_name.h"
#include "lb/http/rewrite_parts.h"

namespace weir::http {
namespace {

// Beyond the fields that we know ourselves, none of which may come late.
constexpr std::array<std::string_view, 19> kNever{
    "accept-ranges",
    "age",
    "allow",
    "content-language",
    "content-location",
    "content-range",
    "date",
    "expires",
    "if-match",
    "if-none-match",
    "if-range",
    "location",
    "max-forwards",
    "range",
    "retry-after",
    "vary",
    "via",
    "warning",
    "www-authenticate",
};

void take_line(std::string_view line, std::span<const HeaderRule> rules, std::string* out) {
  if (may_be_trailer(line.substr(0, line.find(':')), rules)) out->append(line);
}

}  // namespace

bool may_be_trailer(std::string_view name, std::span<const HeaderRule> rules) {
  if (field_name(name) != FieldName::other || is_removed(rules, name)) return false;
  return std::ranges::none_of(kNever,
                              [&](std::string_view never) { return equals_lower(name, never); });
}

void filter_trailers(std::string_view piece, std::span<const HeaderRule> rules,
                     std::string* unfinished, std::string* out) {
  for (;;) {
    const size_t end = piece.find('\n');
    if (end == piece.npos) break;
    const std::string_view line = piece.substr(0, end + 1);
    if (unfinished->empty()) {
      take_line(line, rules, out);
    } else {
      unfinished->append(line);
      take_line(*unfinished, rules, out);
      unfinished->clear();
    }
    piece.remove_prefix(end + 1);
  }
  unfinished->append(piece);
}

}  // namespace weir::http
