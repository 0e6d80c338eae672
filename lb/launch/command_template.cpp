#include "lb/launch/command_template.h"

#include <fmt/core.h>

#include "discovery/replica_environment.h"

namespace weir {
namespace {

// The placeholder that begins at `text`, or empty.
std::string_view placeholder_at(std::string_view text) {
  for (const std::string_view name : {"{url}", "{model}", "{concurrency}", "{replicas}"}) {
    if (text.starts_with(name)) return name;
  }
  return {};
}

std::string value_of(std::string_view placeholder, const CommandValues& values) {
  if (placeholder == "{url}") return values.url;
  if (placeholder == "{model}") return values.model;
  if (placeholder == "{concurrency}") return fmt::format("{}", values.concurrency);
  return fmt::format("{}", values.replicas);
}

std::string fill(std::string_view argument, const CommandValues& values) {
  std::string out;
  size_t i = 0;
  while (i < argument.size()) {
    const std::string_view placeholder =
        argument[i] == '{' ? placeholder_at(argument.substr(i)) : std::string_view();
    if (placeholder.empty()) {
      out += argument[i++];
    } else {
      out += value_of(placeholder, values);
      i += placeholder.size();
    }
  }
  return out;
}

void set(CommandEnvironment* out, const std::string& name, const std::string& value) {
  const auto [it, is_new] = out->environment.try_emplace(name, value);
  if (is_new || it->second == value) return;
  it->second = value;
  out->overwritten.push_back(name);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

}  // namespace

std::vector<std::string> fill_command(const std::vector<std::string>& command,
                                      const CommandValues& values) {
  std::vector<std::string> out;
  for (const std::string& argument : command) out.push_back(fill(argument, values));
  return out;
}

Result<Ok, Problem> check_command(const std::vector<std::string>& command,
                                  const std::string& model) {
  if (!command.empty() && command[0].empty()) {
    return Problem{"the COMMAND behind -- has an empty name", "write -- PROGRAM ARGUMENTS"};
  }
  for (const std::string& argument : command) {
    if (model.empty() && argument.find("{model}") != std::string::npos) {
      return Problem{"COMMAND uses {model}, but no model was named", "add --model NAME"};
    }
  }
  return Ok{};
}

CommandEnvironment command_environment(Environment environment, const ClientSettings& settings) {
  CommandEnvironment out;
  out.environment = std::move(environment);
  extend_no_proxy(out.environment, settings.no_proxy);
  if (settings.mode == ClientEnvironment::openai) {
    set(&out, "OPENAI_BASE_URL", settings.url);
    set(&out, "OPENAI_API_KEY", settings.api_key);
  }
  return out;
}

Result<std::vector<std::string>, Problem> split_shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool is_in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_escape = c == '\\' && quote != '\'' && i + 1 < text.size();
    if (is_escape) {
      const char next = text[++i];
      if (quote == '"' && next != '"' && next != '\\') word += c;
      word += next;
      is_in_word = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_in_word = true;
    } else if (is_blank(c)) {
      if (is_in_word) words.push_back(std::move(word));
      word.clear();
      is_in_word = false;
    } else {
      word += c;
      is_in_word = true;
    }
  }
  if (quote != 0) {
    return Problem{fmt::format("a quotation mark {} is never closed in: {}", quote, text),
                   "close it"};
  }
  if (is_in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace weir
