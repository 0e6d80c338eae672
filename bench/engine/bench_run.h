// `weir bench` from its options to its exit status: looks at the targets, makes the run or the
// steps of a sweep or a search, and tells a RunSink. Main thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "weir/policy_name.h"
#include "weir/result.h"

#include "bench/engine/chaos.h"
#include "bench/engine/load_options.h"
#include "bench/engine/progress_line.h"
#include "bench/engine/work.h"
#include "bench/record/run_sink.h"

namespace weir {

struct BenchOptions {
  std::vector<BenchTarget> targets;  // proxies first; addresses are looked up by run_bench
  PolicyName policy = PolicyName::least_outstanding;  // among direct ones
  LoadOptions load;
  WorkOptions work;           // an empty model: the first that a target has
  std::vector<double> sweep;  // rates, or what is in flight in a closed loop
  bool finds_max = false;
  double precision = 0.05;
  ChaosOptions chaos;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string api_key;
  ProgressLine::Kind progress = ProgressLine::Kind::lines;
  std::vector<std::string> arguments;  // for the record
  std::string version;
};

// 0 to 5 as `weir bench --help` has them, 130 after Ctrl-C.
int run_bench(BenchOptions options, RunSink& sink);

}  // namespace weir
