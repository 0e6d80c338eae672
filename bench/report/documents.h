// A command's result as documents for people and for CI. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "bench/report/bench_report.h"
#include "bench/report/result_table.h"

namespace weir {

// `chosen` is told of in full; `steps` are all runs of a sweep or a search, empty for a single one.
struct ReportDocument {
  const BenchReport& chosen;
  const std::vector<StepRow>& steps;
  std::string headline;   // of a search: "holds up to 41.8 req/s"; else empty
  std::string load_unit;  // of the steps: "req/s"
};

// One file that loads nothing: style, script and data inside.
std::string html_document(const ReportDocument& document, const ReportSettings& settings);
std::string markdown_document(const ReportDocument& document, const ReportSettings& settings);
// A test case each for: lost requests, trust, every --slo and --fail-on.
std::string junit_document(const ReportDocument& document);

}  // namespace weir
