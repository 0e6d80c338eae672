#include "lb/config/header_rule.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr size_t kLongest = 8 * 1024;
constexpr std::array<std::string_view, 9> kOurs{"content-length", "transfer-encoding", "connection",
                                                "keep-alive",     "upgrade",           "te",
                                                "trailer",        "proxy-connection",  "expect"};

bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

bool is_value_char(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Problem bad(std::string_view text, std::string_view why) {
  return Problem{"bad header rule \"" + std::string(text.substr(0, 80)) + "\": " + std::string(why),
                 "write \"Name: value\", \"+Name: value\" to add or \"-Name\" to remove"};
}

}  // namespace

Result<HeaderRule, Problem> parse_header_rule(std::string_view text) {
  if (text.size() > kLongest) return bad(text, "it is longer than 8 KiB");
  HeaderRule rule;
  std::string_view rest = text;
  if (rest.starts_with('+') || rest.starts_with('-')) {
    rule.kind = rest.front() == '+' ? HeaderRule::Kind::add : HeaderRule::Kind::remove;
    rest.remove_prefix(1);
  }
  const size_t colon = rest.find(':');
  const bool has_value = colon != std::string_view::npos;
  if (!has_value && rule.kind != HeaderRule::Kind::remove) return bad(text, "there is no \":\"");
  if (has_value && rule.kind == HeaderRule::Kind::remove) {
    return bad(text, "a header to remove has no value");
  }
  rule.name = std::string(trim(rest.substr(0, colon)));
  if (has_value) rule.value = std::string(trim(rest.substr(colon + 1)));
  if (rule.name.empty() || !std::ranges::all_of(rule.name, is_token_char)) {
    return bad(text, "this is not a header name");
  }
  if (!std::ranges::all_of(rule.value, is_value_char)) {
    return bad(text, "control characters in the value");
  }
  if (std::ranges::find(kOurs, lower(rule.name)) != kOurs.end()) {
    return Problem{"header rule for " + rule.name + ": weir writes this header itself",
                   "leave the rule out"};
  }
  return rule;
}

std::string to_string(const HeaderRule& rule) {
  if (rule.kind == HeaderRule::Kind::remove) return "-" + rule.name;
  return (rule.kind == HeaderRule::Kind::add ? "+" : "") + rule.name + ": " + rule.value;
}

}  // namespace weir
