// The words of the command line that no option parser sees to: which command is meant, what a wrong
// word is answered, and what the flags of Caddy and of `weir status` come to. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "weir/result.h"

#include "lb/cli/command_line.h"
#include "lb/cli/flag_row.h"

namespace weir {

// `weir URL...` means `weir serve URL...`, and options without a command are those of serve. Not
// for an empty list.
Result<std::string, Problem> command_of(const std::vector<std::string>& arguments);

// An argument that `command` does not take; `options` are those it has.
Problem unknown_word(const std::string& command, const std::string& word,
                     const std::vector<std::string>& options);

// What caddy reverse-proxy has and weir does not need.
struct ProxyFlags {
  bool insecure = false;
  bool disable_redirects = false;
  bool internal_certs = false;
};
std::span<const FlagRow<ProxyFlags>> proxy_flag_rows();
Result<Ok, Problem> apply_proxy_flags(const ProxyFlags& flags, CommandLine* line);

std::span<const FlagRow<StatusOptions>> status_option_rows();
struct StatusFlags {
  std::string wait_ready;
  std::string timeout;
};
Result<Ok, Problem> apply_status_flags(const StatusFlags& flags, StatusOptions* status);

struct DrainFlags {
  std::string timeout;
};
Result<Ok, Problem> apply_drain_flags(const DrainFlags& flags, DrainOptions* drain);

// What a command does; `version` and `completion` only print.
CommandLine::Action action_of(std::string_view command);

}  // namespace weir
