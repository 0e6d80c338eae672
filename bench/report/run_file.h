// A run.json read back for `weir compare`, with the requests of its requests.jsonl when that is
// there. What is wrong with a file is said with its line and column, or with the key and what was
// expected there. Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/result.h"

#include "bench/report/resample.h"

namespace weir {

// Times in ms, from the planned start.
struct RunSeries {
  Series ttft;
  Series tpot;
  Series itl;
  Series e2el;
};

struct RunFile {
  std::string path;
  std::string version;
  std::string started_at;
  uint64_t seed = 0;
  std::vector<std::string> targets;
  // Name and value of what two runs have to share to be compared.
  std::vector<std::pair<std::string, std::string>> workload;
  bool is_trusted = false;
  bool was_interrupted = false;
  std::vector<std::string> reasons;  // when not trusted
  uint64_t ok = 0;
  uint64_t lost = 0;
  double requests_per_s = 0;
  double output_tokens_per_s = 0;
  // Of the seconds of the steady window: answers that ended, tokens that came.
  std::vector<double> requests_by_second;
  std::vector<double> tokens_by_second;
  RunSeries series;
  std::string note;  // where the series are from, when not from requests.jsonl
};

struct FileMistake {
  std::string where;  // "a/run.json:3:7" or "a/run.json: /weir/window"
  Problem problem;
};

// `path` may be the folder of --out.
Result<RunFile, FileMistake> read_run_file(const std::string& path);

// The same of texts, for tests and fuzzing. `requests`: the lines of requests.jsonl, or nothing.
struct RunTexts {
  std::string path;
  std::string run;
  std::string requests_path;
  std::optional<std::string> requests;
};
Result<RunFile, FileMistake> read_run_texts(const RunTexts& texts);

}  // namespace weir
