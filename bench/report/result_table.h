// The result as a table for a terminal, and the rows that the other outputs share. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/report/bench_report.h"

namespace weir {

// Cells in columns: the first left, the others right; columns two blanks apart.
using TableRow = std::vector<std::string>;
std::string aligned(const std::vector<TableRow>& rows);

// Name and definition of each measure that the run has, and its values.
struct MeasureRow {
  std::string name;  // "TTFT"
  std::string definition;
  const Samples* samples = nullptr;
};
std::vector<MeasureRow> measures_of(const RunNumbers& numbers);

TableRow backend_heads();
TableRow backend_cells(const BackendNumbers& backend);
TableRow chaos_heads();
TableRow chaos_cells(const ChaosCost& cost);
// "ok 2,396", "truncated 1 (no_done 1)", ...
std::vector<std::string> outcome_texts(const OutcomeCounts& counts);
std::vector<std::string> tester_texts(const BenchReport& report);
std::vector<std::string> throughput_texts(const BenchReport& report);
struct AddedRow {
  std::string name;
  std::string text;  // "+0.21 ms  [0.18, 0.24]"
};
std::vector<AddedRow> added_rows(const AddedByProxy& added);

std::string result_table(const BenchReport& report, const ReportSettings& settings,
                         bool is_coloured);

// Of a sweep or a search: a row a step.
struct StepRow {
  std::string load;
  double value = 0;  // of the load, in the command's unit
  const BenchReport* report = nullptr;
};
std::string step_table(const std::vector<StepRow>& steps);
TableRow step_heads();
TableRow step_cells(const StepRow& step);

}  // namespace weir
