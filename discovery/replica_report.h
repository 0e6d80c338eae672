// What the wrapper on the node writes between the server's own output, as lines: its report, a
// signal it got, its end. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "discovery/replica_starter.h"

namespace weir {

// "weir-replica v1 host=gpu01 addr=10.0.0.1 port=61033 gpus=0,1 step=2.3"; "-" for what is empty.
std::string format_report(const ReplicaReport& report);
std::optional<ReplicaReport> parse_report(std::string_view line);  // unknown fields are ignored

// "weir-replica terminated": somebody sent the wrapper SIGTERM.
inline constexpr std::string_view kTerminatedLine = "weir-replica terminated";

// "weir-replica end 137": the last line; the server's exit code, 128+n for a signal.
std::string format_end(int code);
std::optional<int> parse_end(std::string_view line);

// "weir-replica problem no GPU is visible here": the server was not started.
std::string format_problem(const Problem& problem);
std::optional<std::string> parse_problem(std::string_view line);

// "exited with code 1", "killed by signal 9 (Killed)"
std::string describe_exit_code(int code);

}  // namespace weir
