// A run as JSON: the keys of `vllm bench serve --save-result` with their names and units at the top
// (latencies from the send, as there), ours under "weir" (latencies from the plan). Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "bench/report/bench_report.h"
#include "bench/report/json_out.h"

namespace weir {

inline constexpr int kRunFormat = 1;  // "weir": {"format": 1}

// One object, without a line end.
std::string run_json(const BenchReport& report, const ReportSettings& settings);

// The members of it, into an object that is open.
void write_vllm_keys(const BenchReport& report, const ReportSettings& settings, JsonOut* out);
void write_weir_key(const BenchReport& report, const ReportSettings& settings, JsonOut* out);

// May --metadata have it? Not what the file has anyway.
bool is_taken_key(std::string_view key);

// One line for each request that was planned, warm-up included: every time, every gap.
std::string request_lines(const BenchReport& report);

}  // namespace weir
