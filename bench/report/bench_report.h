// A run as all outputs tell of it: its record, the numbers of it, what they are worth, and every
// text of it made fit to be written (valid UTF-8, no keys, bounded). Main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/record/run_record.h"
#include "bench/report/chaos_cost.h"
#include "bench/report/resample.h"
#include "bench/report/verdict.h"

namespace weir {

// What the command line asked of the report, read.
struct ReportSettings {
  VerdictOptions verdict;
  std::vector<GoodputLimit> goodput;
  std::vector<std::string> goodput_texts;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<double> percents{50, 90, 99};
  std::vector<std::string> secrets;  // values that no output may have
  bool is_detailed = false;
};

// What came of the record's texts.
struct RunWords {
  std::string command;  // the arguments, quoted
  std::vector<std::string> arguments;
  std::string version;
  std::string model;
  std::string endpoint;
  std::string load;
  std::string work;
  std::string length_check;
  std::string ended_early;
  std::vector<std::string> backends;
  std::vector<std::string> texts;
  std::vector<std::string> targets;  // "http://host:port"
};

// --ab: what the way through the proxy adds, proxy less direct, ms.
struct AddedByProxy {
  Difference ttft_p50;
  Difference ttft_p99;
  Difference itl_p50;
  Difference itl_p99;
};

// What --find-max found; 0 = no such load was seen.
struct SearchNumbers {
  double highest_good = 0;
  double lowest_bad = 0;
  std::string unit;
  size_t steps = 0;
};

struct BenchReport {
  const RunRecord* run = nullptr;  // never null; its texts are not for printing, those below are
  RunWords words;
  RunNumbers numbers;
  TrustReport trust;
  Verdict verdict;
  std::vector<ChaosCost> chaos;
  std::optional<AddedByProxy> added;
  std::optional<SearchNumbers> search;
  std::vector<std::pair<std::string, uint64_t>> errors;  // the most frequent texts of lost requests
};

// `run` has to outlive the report.
BenchReport report_on(const RunRecord& run, const ReportSettings& settings);

// Of a text that came from outside: scrubbed(), valid UTF-8, one line, at most so many bytes.
std::string fit(std::string_view text, const std::vector<std::string>& secrets, size_t most = 2000);

}  // namespace weir
