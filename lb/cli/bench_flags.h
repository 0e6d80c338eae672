// The flags of `weir bench`, as typed, and how they become BenchOptions and ReportOptions. The
// table of them is data, so that the option parser needs one loop for all. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/result.h"

#include "bench/engine/bench_run.h"
#include "bench/record/run_sink.h"
#include "lb/cli/flag_row.h"

namespace weir {

struct BenchFlags {
  using Text = std::optional<std::string>;
  using List = std::vector<std::string>;

  // at whom
  List urls;  // like --to
  List to;
  List direct;
  bool ab = false;
  Text policy;
  List headers;
  Text api_key;
  Text admin;
  // how much
  Text rate;
  Text arrival;
  Text concurrency;
  Text users;
  Text think;
  Text requests;
  Text duration;
  Text warm_up;
  Text grace;
  Text max_in_flight;
  Text request_timeout;
  Text sweep;
  bool find_max = false;
  Text precision;
  // what
  Text model;
  Text input;
  Text output;
  Text prefix;
  Text turns;
  Text prompts;
  Text trace;
  Text trace_format;
  Text speed;
  Text body;
  Text ignore_eos;
  bool completions = false;
  bool no_stream = false;
  Text seed;
  std::vector<std::pair<std::string, std::string>> at;  // time, action
  // the tester
  Text workers;
  Text receive_times;
  Text progress;
  // judgement and results
  List slo;
  List goodput;
  List fail_on;
  bool allow_failed = false;
  Text out;
  Text jsonl;
  Text html;
  Text markdown;
  Text junit;
  bool json = false;
  bool detailed = false;
  Text percentiles;
  List metadata;
};

std::span<const FlagRow<BenchFlags>> bench_flag_rows();
extern const char* const kBenchFooter;

// Every mistake, each with the flag it is in; empty when all of them were taken. Reads the files of
// --prompts and --trace.
std::vector<Problem> apply_bench_flags(const BenchFlags& flags, BenchOptions* options);
ReportOptions report_options(const BenchFlags& flags);

// argv without keys, for the record.
std::vector<std::string> mask_keys(std::vector<std::string> arguments);

}  // namespace weir
