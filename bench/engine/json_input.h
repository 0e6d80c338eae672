// The JSON that the tester reads: answers before the load, prompt files, traces, --body. Pure; the
// only place of bench/engine that parses JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/result.h"

#include "bench/engine/work.h"

namespace weir {

// The first id of /v1/models; empty if there is none.
std::string first_model(std::string_view json);
// `count` of /tokenize.
std::optional<int64_t> token_count(std::string_view json);

// An object's members, each with its value as JSON.
Result<std::vector<std::pair<std::string, std::string>>, Problem> parse_members(
    std::string_view json);

// A line of a JSONL prompt file: {"prompt": text or token ids} or {"messages": [...]} or ShareGPT's
// {"conversations": [...]}; optionally "output_tokens" or "max_tokens". Or a JSON string.
Result<PromptItem, Problem> parse_prompt_line(std::string_view json);

// A line of a trace: Mooncake's or Bailian's {"timestamp", "input_length", "output_length",
// "hash_ids"} or weir's access log {"ts", "tok_in", "tok_out"}. Times are as the file has them: see
// trace.h. nullopt: a line without tokens, which asked for nothing.
struct TraceLine {
  double time = 0;
  bool is_wall_clock = false;  // seconds since 1970, of "ts"
  TraceItem item;
};
Result<std::optional<TraceLine>, Problem> parse_trace_line(std::string_view json);

// "2026-11-22T18:00:00.123Z" or "2023-11-16 18:17:03.9799600" as seconds since 1970.
std::optional<double> parse_date_time(std::string_view text);

}  // namespace weir
