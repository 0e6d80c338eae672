#include "lb/cli/completion.h"

#include <algorithm>
#include <array>

#include "lb/config/suggest.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string all_options(const CompletionCommand& command) {
  std::string out;
  for (const CompletionOption& option : command.options) {
    for (const std::string& name : option.names) out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

// "serve --policy | serve -p": a pattern of case.
std::string pattern(const CompletionCommand& command, const CompletionOption& option) {
  std::string out;
  for (const std::string& name : option.names) {
    out += std::string(out.empty() ? "" : " | ") + "\"" + command.name + " " + name + "\"";
  }
  return out;
}

// Needs nothing beyond bash 3; names of files where nothing else is known.
std::string bash_script(const std::vector<CompletionCommand>& commands) {
  std::string names;
  std::string values;
  std::string words;
  for (const CompletionCommand& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    for (const CompletionOption& option : command.options) {
      if (!option.takes_value || option.names.empty()) continue;
      values += "    " + pattern(command, option) + ") " +
                (option.words.empty() ? "files=1" : "words=\"" + joined(option.words) + "\"") +
                " ;;\n";
    }
    words += "      " + command.name + ") words=\"" + all_options(command) + "\"; rest=\"" +
             joined(command.words) + "\" ;;\n";
  }
  return "# weir completion bash > /etc/bash_completion.d/weir\n"
         "_weir() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local words= rest= files=\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W \"" +
         names +
         "\" -- \"$cur\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"${COMP_WORDS[1]} $prev\" in\n" +
         values +
         "  esac\n"
         "  if [ -z \"$words$files\" ]; then\n"
         "    case \"${COMP_WORDS[1]}\" in\n" +
         words +
         "    esac\n"
         "    case \"$cur\" in\n"
         "      -*) ;;\n"
         "      *) words=$rest; [ -n \"$rest\" ] || files=1 ;;\n"
         "    esac\n"
         "  fi\n"
         "  if [ -n \"$files\" ]; then\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _weir weir\n";
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fish_script(const std::vector<CompletionCommand>& commands) {
  std::string out = "# weir completion fish > ~/.config/fish/completions/weir.fish\n";
  for (const CompletionCommand& command : commands) {
    out += "complete -c weir -n __fish_use_subcommand -a " + command.name + " -d " +
           quoted(command.help) + "\n";
    const std::string here =
        "complete -c weir -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const CompletionOption& option : command.options) {
      std::string line = here;
      for (const std::string& name : option.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.words.empty()) line += " -x -a " + quoted(joined(option.words));
      if (option.takes_value && option.words.empty()) line += " -r";
      out += line + "\n";
    }
    if (!command.words.empty()) out += here + " -f -a " + quoted(joined(command.words)) + "\n";
  }
  return out;
}

}  // namespace

std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> words;
  while (!value.empty()) {
    const size_t end = std::min(value.find('|'), value.size());
    const std::string_view word = value.substr(0, end);
    const bool is_plain = !word.empty() && std::ranges::all_of(word, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (is_plain) words.emplace_back(word);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return words;
}

Result<std::string, Problem> completion_script(std::string_view shell,
                                               const std::vector<CompletionCommand>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") {
    return "# weir completion zsh > weir.zsh, and in ~/.zshrc: source weir.zsh\n"
           "autoload -U +X compinit && compinit\n"
           "autoload -U +X bashcompinit && bashcompinit\n" +
           bash_script(commands);
  }
  if (shell == "fish") return fish_script(commands);
  if (shell.empty())
    return Problem{"weir completion: no shell was named", "one of bash, zsh, fish"};
  const std::string_view near = suggest(shell, kShells);
  return Problem{
      "weir completion: unknown shell \"" + std::string(shell.substr(0, 40)) + "\"",
      near.empty() ? "one of bash, zsh, fish" : "did you mean " + std::string(near) + "?"};
}

}  // namespace weir
