// Files of work: traces (when requests came and how long they were) and prompts. Text to values;
// every mistake with its line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

#include "bench/engine/work.h"

namespace weir {

enum class TraceFormat : uint8_t {
  by_look,
  mooncake,  // JSONL, ms, a block is 512 tokens
  bailian,   // JSONL, s, a block is 16 tokens
  azure,     // CSV: TIMESTAMP,ContextTokens,GeneratedTokens
  burstgpt,  // CSV: Timestamp,Model,Request tokens,Response tokens,...
  weir,      // the access log
};
Result<TraceFormat, Problem> parse_trace_format(std::string_view name);

struct Trace {
  std::vector<TraceItem> items;  // by time, from 0 on
  uint32_t block_tokens = 512;
};
inline constexpr size_t kMostTraceItems = 5'000'000;

Result<Trace, Problem> parse_trace(std::string_view text, TraceFormat format);

// JSONL when the first line is a JSON object or string, else a prompt a line.
Result<std::vector<PromptItem>, Problem> parse_prompts(std::string_view text);

}  // namespace weir
