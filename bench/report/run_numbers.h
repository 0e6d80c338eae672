// The numbers of a run, computed from its record: what every output prints. Only ok requests are in
// latencies and throughput; warm-up requests are in neither latencies nor counts. Times in ms,
// rates per second. Value types without I/O; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/record/run_record.h"
#include "bench/report/condition.h"
#include "bench/report/samples.h"

namespace weir {

struct OutcomeCounts {
  std::array<uint64_t, kRequestOutcomes> outcomes{};
  std::array<uint64_t, kRequestFaults> faults{};
  uint64_t total = 0;

  void add(const RequestRecord& request);
  uint64_t of(RequestOutcome outcome) const { return outcomes[static_cast<size_t>(outcome)]; }
  uint64_t ok() const { return of(RequestOutcome::ok); }
  uint64_t lost() const;      // truncated, failed and rejected
  uint64_t finished() const;  // all but unfinished
};

struct LatencyNumbers {
  Samples ttft;            // plan to first token
  Samples ttft_from_send;  // send to first token: vLLM's
  Samples first_content;   // send to the first text that is not reasoning
  Samples first_byte;      // send to the head of the answer
  Samples itl;             // every gap between events with text
  Samples tpot;            // one a request
  Samples e2el;            // plan to last token
  Samples e2el_from_send;
  Samples start_delay;  // plan to send
};
using RequestList = std::vector<const RequestRecord*>;
LatencyNumbers latency_of(const RunRecord& run, const RequestList& requests);  // takes the ok ones

// What throughput is counted in: from the end of the warm-up to the last planned arrival; when that
// is shorter than a second, to the end of the last answer.
struct WindowNumbers {
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  bool is_steady = true;
  double seconds() const { return static_cast<double>(end_ns - begin_ns) / 1e9; }
};

struct ThroughputNumbers {
  double requests = 0;       // ended ok
  double output_tokens = 0;  // spread over the events they came in
  double input_tokens = 0;   // booked at the first token
  double events = 0;
};

struct GoodputNumbers {
  uint64_t good = 0;     // ok and within every limit
  double share = 0;      // of the finished ones
  double per_s = 0;      // those that ended in the window
  double vllm_good = 0;  // count by vLLM's definition: from the send
};

struct TokenNumbers {
  uint64_t input = 0;  // of ok requests, by usage
  uint64_t output = 0;
  uint64_t cached = 0;
  uint64_t without_usage = 0;  // ok requests whose answer had none
  uint64_t events = 0;         // with text, of ok requests
};

struct BackendNumbers {
  std::string name;
  OutcomeCounts counts;
  LatencyNumbers latency;
  TokenNumbers tokens;
  double share = 0;  // of all requests
  uint32_t most_in_flight = 0;
  std::string remark;  // "slow: TPOT +18 %"
};

// How evenly the work (output tokens) fell on the backends: 1 = evenly.
struct ImbalanceNumbers {
  double most_to_mean = 1;
  double jain = 1;
};

struct TargetNumbers {
  TargetRecord target;
  OutcomeCounts counts;
  LatencyNumbers latency;
};

// Of the seconds of a run; -1 = nothing began or came in it.
struct SecondNumbers {
  double ttft_p50 = -1;
  double ttft_p99 = -1;
  double itl_p99 = -1;
};

struct TesterNumbers {
  LogHistogram loop_lag;
  LogHistogram read_lag;
  LogHistogram start_lag;
  size_t threads = 0;
  double busy = 0;       // share of a core: the busiest thread over the run
  double busy_most = 0;  // the busiest second of any thread
  double cpu_us_per_event = 0;
  double coalesced_share = 0;  // of the events
};

struct RunNumbers {
  OutcomeCounts counts;
  uint64_t warm_up = 0;    // requests left out
  double duration_s = 0;   // first plan to last end, of what was measured
  uint32_t most_open = 0;  // ok requests at once
  double best_second_events = 0;
  uint64_t resent = 0;   // on a new connection, by this tester
  uint64_t retried = 0;  // sent more than once by the proxy
  WindowNumbers window;
  ThroughputNumbers throughput;
  TokenNumbers tokens;
  LatencyNumbers latency;
  std::optional<GoodputNumbers> goodput;
  std::vector<BackendNumbers> backends;  // those that were seen
  ImbalanceNumbers imbalance;
  std::vector<TargetNumbers> targets;  // when there are several
  std::vector<SecondNumbers> seconds;  // parallel to the record's timeline
  TesterNumbers tester;
};

RunNumbers numbers_of(const RunRecord& run, const std::vector<GoodputLimit>& limits);

}  // namespace weir
