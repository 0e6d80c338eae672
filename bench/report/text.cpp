#include "bench/report/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace weir {
namespace {

constexpr std::string_view kMask = "***";

std::string grouped(std::string digits) {
  const size_t point = std::min(digits.find('.'), digits.size());
  const size_t sign = digits.starts_with('-') ? 1 : 0;
  for (size_t at = point; at > sign + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

bool is_key_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
         c == '+' || c == '/' || c == '=' || c == '~';
}

bool starts_word(std::string_view text, size_t at) {
  return at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
}

// Where in `text` at `at` a secret begins that is announced by what stands before it, and how long
// it is; 0 = none.
size_t announced(std::string_view text, size_t at, size_t* lead) {
  constexpr std::array<std::string_view, 10> kLeads{
      "bearer ", "sk-",       "api_key=", "api-key=",   "apikey=",
      "token=",  "api-key: ", "hf_",      "--api-key ", "authorization: basic "};
  for (const std::string_view word : kLeads) {
    if (!starts_word(text, at) && !word.starts_with('-')) continue;
    const std::string_view here = text.substr(at, word.size());
    const bool is_same = std::ranges::equal(here, word, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == b;
    });
    if (!is_same) continue;
    size_t end = at + word.size();
    while (end < text.size() && is_key_letter(text[end])) ++end;
    *lead = word.size();
    if (end - at - word.size() >= 4) return end - at;
  }
  return 0;
}

void replace_all(std::string* text, std::string_view what, std::string_view with) {
  for (size_t at = text->find(what); at != std::string::npos;
       at = text->find(what, at + with.size())) {
    text->replace(at, what.size(), with);
  }
}

// "http://user:password@host" loses what stands before the @.
void mask_user(std::string* text) {
  for (size_t at = text->find("://"); at != std::string::npos; at = text->find("://", at + 3)) {
    const size_t end = std::min(text->find_first_of("/ \"'<>", at + 3), text->size());
    const size_t sign = text->rfind('@', end);
    if (sign == std::string::npos || sign < at + 3 || sign >= end) continue;
    text->replace(at + 3, sign - at - 3, kMask);
  }
}

}  // namespace

std::string count_text(uint64_t count) {
  return grouped(std::to_string(count));
}

std::string number_text(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, decimals)
                       .ptr;
  return grouped({text.data(), end});
}

std::string ms_text(double ms) {
  const double size = std::abs(ms);
  return number_text(ms, size < 9.995 ? 2 : size < 999.5 ? 1 : 0);
}

std::string change_text(double change) {
  const double percent = change * 100;
  const std::string text = number_text(percent, std::abs(percent) < 9.95 ? 1 : 0) + " %";
  return percent >= 0 ? "+" + text : text;
}

std::string in_percent(double share) {
  const double percent = share * 100;
  const bool is_fine = percent != 0 && percent < 0.095;
  return number_text(percent, is_fine ? 3 : 1) + " %";
}

std::string seconds_text(double seconds) {
  if (seconds < 90) return number_text(seconds, seconds < 9.95 ? 2 : 1) + " s";
  const uint64_t whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 3600) return std::to_string(whole / 60) + "m " + std::to_string(whole % 60) + "s";
  return std::to_string(whole / 3600) + "h " + std::to_string(whole / 60 % 60) + "m";
}

std::string counted(uint64_t count, std::string_view what) {
  return count_text(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // XML has no other control characters, not even escaped.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>|&#~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string shell_text(const std::vector<std::string>& arguments) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  std::string out;
  for (const std::string& argument : arguments) {
    if (!out.empty()) out += ' ';
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      out += argument;
      continue;
    }
    std::string quoted = argument;
    replace_all(&quoted, "'", "'\\''");
    out += "'" + quoted + "'";
  }
  return out;
}

std::string scrubbed(std::string_view text, const std::vector<std::string>& secrets) {
  std::string whole(text);
  for (const std::string& secret : secrets) {
    if (secret.size() >= 4) replace_all(&whole, secret, kMask);
  }
  mask_user(&whole);
  std::string out;
  for (size_t at = 0; at < whole.size();) {
    size_t lead = 0;
    const size_t length = announced(whole, at, &lead);
    if (length == 0) {
      out += whole[at++];
      continue;
    }
    out.append(whole, at, lead);
    out += kMask;
    at += length;
  }
  return out;
}

}  // namespace weir
