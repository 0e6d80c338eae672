// COMMAND as it is really run: placeholders filled in, environment for clients of the run. Pure;
// value types, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/result.h"

#include "discovery/slurm_environment.h"
#include "lb/launch/launch_options.h"

namespace weir {

struct CommandValues {
  std::string url;           // {url}: base URL, ends in /v1
  std::string model;         // {model}
  uint64_t concurrency = 0;  // {concurrency}: of all planned replicas
  uint32_t replicas = 0;     // {replicas}: planned
};

// Replaced inside each argument; every other brace and byte stays. What is put in is not looked at
// again.
std::vector<std::string> fill_command(const std::vector<std::string>& command,
                                      const CommandValues& values);

// Says when a placeholder is used that has no value ({model} without --model).
Result<Ok, Problem> check_command(const std::vector<std::string>& command,
                                  const std::string& model);

struct ClientSettings {
  std::string url;
  std::string api_key;
  std::vector<std::string> no_proxy;  // hosts that are never asked through a proxy
  ClientEnvironment mode = ClientEnvironment::openai;
};

struct CommandEnvironment {
  Environment environment;
  std::vector<std::string> overwritten;  // names that had another value before
};
CommandEnvironment command_environment(Environment environment, const ClientSettings& settings);

// --srun-args: words as a shell splits them, with quotes and backslashes, without expansion.
Result<std::vector<std::string>, Problem> split_shell_words(std::string_view text);

}  // namespace weir
