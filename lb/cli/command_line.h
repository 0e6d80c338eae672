// argv as options: which command, with which settings, or what to print instead. CLI11 lives in
// command_line.cpp and nowhere else. Value types; main thread.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"

#include "lb/cli/bench_flags.h"
#include "lb/cli/compare_command.h"
#include "lb/cli/drain_command.h"
#include "lb/cli/launch_flags.h"
#include "lb/cli/mock_flags.h"
#include "lb/cli/serve_flags.h"
#include "lb/cli/status_command.h"

namespace weir {

struct CheckOptions {
  std::string file;            // empty: the defaults
  bool print = false;          // the effective config
  bool print_example = false;  // every key with its default
  bool print_schema = false;   // JSON Schema, for editors
  bool print_docs = false;     // the table of docs/configuration.md
};

struct CommandLine {
  enum class Action : uint8_t {
    print,
    serve,
    launch,
    mock,
    bench,
    compare,
    check,
    status,
    drain,
    explain,
    replica
  };
  Action action = Action::print;
  std::string text;                  // print: goes to stdout; explain: the code
  Command command = Command::serve;  // serve: whose defaults
  std::string config_file;           // serve -c; empty = none
  ServeFlags serve;                  // of serve, reverse-proxy and launch
  LaunchFlags launch;
  std::vector<std::string> rest;  // launch: COMMAND; replica: its own arguments
  MockFlags mock;
  BenchFlags bench;
  CompareFlags compare;
  CheckOptions check;
  StatusOptions status;
  DrainOptions drain;              // or undrain
  std::vector<std::string> notes;  // for stderr: accepted, but without effect
};

// argv without the program's name. Problems are usage errors.
Result<CommandLine, Problem> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace weir
