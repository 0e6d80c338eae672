// Two runs held against each other: for each measure the change, how far it could be chance, and in
// words what follows. Pure; value types, any thread.
#pragma once

#include <string>
#include <vector>

#include "weir/result.h"

#include "bench/report/run_file.h"

namespace weir {

struct ComparisonOptions {
  double threshold = 0.05;  // a smaller change is no change
  bool anyway = false;      // compare runs of different workloads
  ResampleOptions resample;
};

struct ComparedMeasure {
  enum class Finding : uint8_t { same, better, worse, cannot_tell };
  std::string name;  // "TTFT p99"
  std::string unit;  // "ms", "tok/s", "%" of shares, whose change is in points
  Difference difference;
  bool is_share = false;
  Finding finding = Finding::cannot_tell;
  std::string why;  // of cannot_tell
};
std::string_view to_string(ComparedMeasure::Finding finding) noexcept;  // "cannot tell"

struct Comparison {
  std::vector<ComparedMeasure> measures;
  std::vector<std::string> notes;
  bool is_trusted = true;
  int exit_status = 0;  // 4 = one was not trusted, else 3 = something is worse, else 0
  std::string verdict;
};

// Or why the two cannot be compared.
Result<Comparison, Problem> compare_runs(const RunFile& a, const RunFile& b,
                                         const ComparisonOptions& options);

std::string comparison_table(const RunFile& a, const RunFile& b, const Comparison& comparison,
                             const ComparisonOptions& options);
std::string comparison_json(const RunFile& a, const RunFile& b, const Comparison& comparison,
                            const ComparisonOptions& options);

}  // namespace weir
