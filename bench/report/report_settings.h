// What was typed for the report (ReportOptions), read and checked. Main thread: makes the folder of
// --out and looks at the environment for keys that no output may have.
#pragma once

#include <string>

#include "weir/result.h"

#include "bench/record/run_sink.h"
#include "bench/report/bench_report.h"

namespace weir {

// Where outputs go; empty = not asked for.
struct ReportFiles {
  std::string run;
  std::string requests;
  std::string html;
  std::string markdown;
  std::string junit;
  std::string steps;  // of a sweep or a search: every run in one list, as `vllm bench sweep` has it
};

Result<ReportSettings, Problem> read_settings(const ReportOptions& options);
Result<ReportFiles, Problem> choose_files(const ReportOptions& options);

// Whole or not at all: written beside it, then renamed. What is no regular file is written to.
Result<Ok, Problem> write_file(const std::string& path, std::string_view text);

}  // namespace weir
