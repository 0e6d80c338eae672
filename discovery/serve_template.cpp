#include "discovery/serve_template.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/core.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"host",    "port", "gpu",
                                                    "replica", "node", "api_key"};

bool is_placeholder_name(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Insertions, deletions, replacements and swaps of neighbours that turn one into the other; both
// are short.
size_t edit_distance(std::string_view a, std::string_view b) {
  constexpr size_t kLongest = 24;
  if (a.size() > kLongest || b.size() > kLongest) return kLongest;
  std::array<std::array<size_t, kLongest + 1>, kLongest + 1> rows{};
  for (size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

// The placeholder somebody may have meant by {name}; empty = none.
std::string_view nearest(std::string_view name) {
  const std::string small = lower(name);
  if (small == "gpus") return "gpu";
  if (small == "apikey" || small == "api-key" || small == "key") return "api_key";
  for (const std::string_view candidate : kNames) {
    const size_t allowed = candidate.size() <= 3 ? 1 : candidate.size() <= 5 ? 1 : 2;
    if (edit_distance(small, candidate) <= allowed) return candidate;
  }
  return {};
}

// The word in braces at `open`, without them; empty if there is none.
std::string_view word_at(std::string_view text, size_t open) {
  const size_t close = text.find_first_of("{}", open + 1);
  if (close == std::string_view::npos || text[close] != '}') return {};
  const std::string_view word = text.substr(open + 1, close - open - 1);
  return is_word(word) ? word : std::string_view();
}

const std::string& value_of(const ServeValues& values, std::string_view name) {
  if (name == "host") return values.host;
  if (name == "port") return values.port;
  if (name == "gpu") return values.gpu;
  if (name == "replica") return values.replica;
  if (name == "node") return values.node;
  return values.api_key;
}

// "${port}" is the shell's.
bool is_shell_variable(std::string_view text, size_t open) {
  return open > 0 && text[open - 1] == '$';
}

}  // namespace

std::vector<ServePart> split_serve(std::string_view command) {
  std::vector<ServePart> parts;
  size_t literal = 0;  // begin of the literal text not yet taken
  for (size_t open = command.find('{'); open != std::string_view::npos;
       open = command.find('{', open + 1)) {
    const std::string_view word = word_at(command, open);
    if (!is_placeholder_name(word) || is_shell_variable(command, open)) continue;
    if (open > literal) {
      parts.push_back({false, std::string(command.substr(literal, open - literal))});
    }
    parts.push_back({true, std::string(word)});
    literal = open + word.size() + 2;
  }
  if (literal < command.size()) parts.push_back({false, std::string(command.substr(literal))});
  return parts;
}

std::string fill_serve(std::string_view command, const ServeValues& values) {
  std::string result;
  for (const ServePart& part : split_serve(command)) {
    result += part.is_placeholder ? value_of(values, part.text) : part.text;
  }
  return result;
}

std::vector<std::string> check_serve(std::string_view command) {
  std::vector<std::string> remarks;
  bool has_port = command.find("WEIR_PORT") != std::string_view::npos;
  bool has_key = false;
  for (size_t open = command.find('{'); open != std::string_view::npos;
       open = command.find('{', open + 1)) {
    const std::string_view word = word_at(command, open);
    if (word.empty() || is_shell_variable(command, open)) continue;
    has_port = has_port || word == "port";
    has_key = has_key || word == "api_key";
    if (is_placeholder_name(word)) continue;
    if (const std::string_view meant = nearest(word); !meant.empty()) {
      remarks.push_back(
          fmt::format("--serve: {{{}}} is left as it is; did you mean {{{}}}?", word, meant));
    }
  }
  if (!has_port) {
    remarks.push_back(
        "--serve has no {port}: every replica must listen on the port it is given, "
        "by {port} in the command line or $WEIR_PORT");
  }
  if (!has_key && command.find("--api-key") != std::string_view::npos) {
    remarks.push_back(
        "--serve has an --api-key of its own: weir sends the run's key, so the server will refuse "
        "every request; leave it out");
  }
  if (has_key) {
    remarks.push_back(
        "--serve has {api_key}: everybody on the node can read it in ps; vLLM takes "
        "the key from VLLM_API_KEY, which is set anyway");
  }
  return remarks;
}

}  // namespace weir
