#include "lb/cli/completion.h"

#include <gtest/gtest.h>

#include "lb/cli/command_line.h"

namespace weir {
namespace {

using Words = std::vector<std::string>;

std::string script(const std::string& shell) {
  const auto line = parse_command_line({"completion", shell});
  if (!line) ADD_FAILURE() << line.error().what;
  return line ? line->text : "";
}

TEST(CompletionTest, OnlyWhatCanBeTypedAsItStandsIsAWord) {
  EXPECT_EQ(words_of("inference|all|unsafe-all"), (Words{"inference", "all", "unsafe-all"}));
  EXPECT_EQ(words_of("N|unlimited"), Words{"unlimited"});
  EXPECT_EQ(words_of("N|auto"), Words{"auto"});
  for (const char* text :
       {"", "FILE|DIR", "[=PATH|=off]", "'NAME: VALUE'", "ADDR[,ADDR...]", "||"}) {
    EXPECT_EQ(words_of(text), Words{}) << text;
  }
}

TEST(CompletionTest, EveryShellIsToldTheCommandsTheirOptionsAndTheirWords) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = script(shell);
    for (const char* word :
         {"reverse-proxy", "undrain", "unsafe-all", "queue_full", "max-outstanding"}) {
      EXPECT_NE(text.find(word), std::string::npos) << shell << " " << word;
    }
  }
}

TEST(CompletionTest, AnUnknownShellIsAnsweredWithTheKnownOnes) {
  const auto problem = [](const Words& words) {
    const auto line = parse_command_line(words);
    return line ? "" : line.error().what + " | " + line.error().help;
  };
  EXPECT_EQ(problem({"completion"}),
            "weir completion: no shell was named | one of bash, zsh, fish");
  EXPECT_EQ(problem({"completion", "bsh"}),
            "weir completion: unknown shell \"bsh\" | did you mean bash?");
  EXPECT_EQ(problem({"completion", "powershell"}),
            "weir completion: unknown shell \"powershell\" | one of bash, zsh, fish");
}

}  // namespace
}  // namespace weir
