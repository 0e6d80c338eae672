// Who is told of runs: implemented by bench/report (make_report), called by bench/engine, which
// links no report. And what the report was asked for, as the command line has it. Main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/record/run_record.h"

namespace weir {

// A command as a whole: one run, or the steps of a sweep or a search, in the order they ran.
struct BenchRecord {
  enum class Kind : uint8_t { single, sweep, search } kind = Kind::single;
  std::vector<RunRecord> runs;  // at least one, unless interrupted before the first
  bool was_interrupted = false;
  // A search: the highest load that held and the lowest that did not; 0 = none seen.
  double highest_good = 0;
  double lowest_bad = 0;
  std::string load_unit;  // "req/s" or "in flight"
};

enum class StepVerdict : uint8_t { holds, breaks, unknown };  // unknown: too few requests, no trust

class RunSink {
 public:
  // Does the step hold its --slo? Asked after each step of a search. `why`: one line for the
  // terminal, "ttft_p99 612 ms > 500 ms".
  virtual StepVerdict judge(const RunRecord& step, std::string* why) = 0;

  // The end: prints the result to stdout, writes the files. Returns the exit status: 0, 1 (requests
  // failed, or a file could not be written), 3 (SLO), 4 (not trusted). The caller makes it 130
  // after Ctrl-C.
  virtual int finish(const BenchRecord& bench) = 0;

  virtual ~RunSink() = default;
};

// As typed; make_report says what is wrong with it before any load is made.
struct ReportOptions {
  std::vector<std::string> slo;       // "ttft_p99<500ms,itl_p99<50ms"
  std::vector<std::string> goodput;   // "ttft:500ms"
  std::vector<std::string> fail_on;   // "errors>0"
  std::vector<std::string> metadata;  // "K=V"
  std::string out;                    // run.json, or a directory for all of them
  std::string jsonl;                  // one line a request
  std::string html;
  std::string markdown;
  std::string junit;
  std::string percentiles;           // "50,90,99"
  std::vector<std::string> secrets;  // keys that were given, which no output may have
  bool json = false;                 // the result on stdout is run.json
  bool allow_failed = false;         // failed requests do not make exit status 1
  bool detailed = false;             // per-request arrays in run.json
};

}  // namespace weir
