#include "lb/config/backend_list.h"

#include <charconv>
#include <optional>

namespace weir {
namespace {

constexpr size_t kLongestText = 1024;

struct Range {
  uint64_t first;
  uint64_t last;
  size_t width;  // of a number written with leading zeros; 0 = as it comes
};

Problem bad(std::string_view text, std::string_view why) {
  return Problem{"bad backend \"" + std::string(text.substr(0, 80)) + "\": " + std::string(why),
                 "write http://host:port, http://node[01-08]:port or host:8000-8007"};
}

Problem too_many(std::string_view text) {
  return bad(text, "that is more than " + std::to_string(kMostBackends) + " backends");
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Range> parse_range(std::string_view text) {
  const size_t dash = text.find('-');
  const std::string_view first_text = text.substr(0, dash);
  const std::string_view last_text =
      dash == std::string_view::npos ? first_text : text.substr(dash + 1);
  const std::optional<uint64_t> first = number(first_text);
  const std::optional<uint64_t> last = number(last_text);
  if (!first || !last || *first > *last) return std::nullopt;
  const bool is_padded = first_text.size() > 1 && first_text.front() == '0';
  return Range{*first, *last, is_padded ? first_text.size() : 0};
}

std::string padded(uint64_t value, size_t width) {
  std::string text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// An IPv6 literal also has brackets; a group of numbers is digits, dashes and commas only.
bool is_group(std::string_view inside) {
  return !inside.empty() && inside.find_first_not_of("0123456789-,") == std::string_view::npos;
}

// "01-03,7" → its numbers. `most` bounds how many.
Result<std::vector<std::string>, Problem> numbers_of(std::string_view inside, std::string_view text,
                                                     size_t most) {
  std::vector<std::string> out;
  std::string_view rest = inside;
  while (true) {
    const size_t comma = rest.find(',');
    const std::optional<Range> range = parse_range(rest.substr(0, comma));
    if (!range) return bad(text, "[" + std::string(inside) + "] is not a range of numbers");
    if (range->last - range->first >= most - out.size()) return too_many(text);
    for (uint64_t i = range->first; i <= range->last; ++i) out.push_back(padded(i, range->width));
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

// Each text with each of the numbers behind it.
std::vector<std::string> product(const std::vector<std::string>& texts,
                                 const std::vector<std::string>& numbers) {
  std::vector<std::string> out;
  out.reserve(texts.size() * numbers.size());
  for (const std::string& text : texts) {
    for (const std::string& number : numbers) out.push_back(text + number);
  }
  return out;
}

// "node[01-02]-[a]" has one group; whatever else stands in brackets is left as it is.
Result<std::vector<std::string>, Problem> expand_groups(std::string_view text) {
  std::vector<std::string> out{""};
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find('[', at);
    const size_t close = open == std::string_view::npos ? open : text.find(']', open);
    const bool has_brackets = close != std::string_view::npos;
    const std::string_view inside = has_brackets ? text.substr(open + 1, close - open - 1) : "";
    const bool has_group = has_brackets && is_group(inside);
    const size_t end = has_group ? open : has_brackets ? close + 1 : text.size();
    for (std::string& one : out) one += text.substr(at, end - at);
    at = end;
    if (!has_group) continue;
    const Result<std::vector<std::string>, Problem> numbers =
        numbers_of(inside, text, kMostBackends / out.size());
    if (!numbers) return numbers.error();
    out = product(out, *numbers);
    at = close + 1;
  }
  return out;
}

// "host:8000-8007" → one text a port. A dash elsewhere ("my-host:80") is no range.
Result<std::vector<std::string>, Problem> expand_ports(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::vector<std::string>{text};
  size_t end = text.find_first_not_of("0123456789-", colon + 1);
  if (end == std::string::npos) end = text.size();
  const std::string_view ports = std::string_view(text).substr(colon + 1, end - colon - 1);
  if (ports.find('-') == std::string_view::npos) return std::vector<std::string>{text};
  const std::optional<Range> range = parse_range(ports);
  if (!range || range->last > 65535 || range->first == 0) {
    return bad(text, "\"" + std::string(ports) + "\" is not a range of ports");
  }
  if (range->last - range->first + 1 > kMostBackends) return too_many(text);
  std::vector<std::string> out;
  for (uint64_t port = range->first; port <= range->last; ++port) {
    out.push_back(text.substr(0, colon + 1) + std::to_string(port) + text.substr(end));
  }
  return out;
}

Result<BackendSpec, Problem> one_backend(const std::string& text) {
  const bool is_local = text.starts_with(':');
  Result<Address, Problem> address = parse_backend_url(is_local ? "127.0.0.1" + text : text);
  if (!address) return address.error();
  BackendSpec spec;
  spec.id = to_string(*address);
  spec.address = std::move(*address);
  return spec;
}

}  // namespace

Result<std::vector<BackendSpec>, Problem> expand_backends(std::string_view text) {
  if (text.empty()) return bad(text, "it is empty");
  if (text.size() > kLongestText) return bad(text, "it is longer than 1 KiB");
  std::vector<std::string> texts{std::string(text)};
  if (!text.starts_with("unix:")) {
    Result<std::vector<std::string>, Problem> groups = expand_groups(text);
    if (!groups) return groups.error();
    texts = std::move(*groups);
  }
  std::vector<BackendSpec> out;
  for (const std::string& group : texts) {
    Result<std::vector<std::string>, Problem> ports =
        text.starts_with("unix:") ? std::vector<std::string>{group} : expand_ports(group);
    if (!ports) return ports.error();
    if (out.size() + ports->size() > kMostBackends) return too_many(text);
    for (const std::string& one : *ports) {
      Result<BackendSpec, Problem> spec = one_backend(one);
      if (!spec) return spec.error();
      out.push_back(std::move(*spec));
    }
  }
  return out;
}

}  // namespace weir
