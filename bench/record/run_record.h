// What a run of load was, as data: the contract between bench/engine, which fills it, and
// bench/report, which turns it into tables, files and verdicts. Times are ns from the start of the
// run on CLOCK_MONOTONIC, kNoTime = it did not happen. Value types without I/O; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/record/log_histogram.h"

namespace weir {

inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

enum class RequestOutcome : uint8_t {
  ok,          // whole: finish_reason other than abort, no error, proper ends
  truncated,   // 200, but cut: see RequestFault; stays out of latency and throughput
  failed,      // no usable answer
  rejected,    // 429 or 503: the pool said that it is full
  unfinished,  // the run ended before it did (--duration's grace, Ctrl-C): nobody's fault
};
inline constexpr int kRequestOutcomes = static_cast<int>(RequestOutcome::unfinished) + 1;
std::string_view to_string(RequestOutcome outcome) noexcept;

// Why a request is not ok; none when it is.
enum class RequestFault : uint8_t {
  none,
  connect,          // failed: refused, no route, timed out
  reset_early,      // failed: connection lost before the head of the answer
  bad_http,         // failed: not valid HTTP
  http_4xx,         // failed; 429 is rejected
  http_5xx,         // failed; 503 is rejected
  busy,             // rejected
  empty,            // failed: 200, proper end, but no text at all
  no_event_stream,  // failed: streaming was asked for, something else came
  timeout,          // failed: --request-timeout
  error_event,      // failed before any text, truncated after: `data: {"error": ...}`
  aborted,          // truncated: finish_reason "abort"
  cut,              // truncated: reset, or FIN inside the body
  no_finish,        // truncated: proper HTTP end without a finish_reason
  no_done,          // truncated: finish_reason, but no [DONE] where the API has it
};
inline constexpr int kRequestFaults = static_cast<int>(RequestFault::no_done) + 1;
std::string_view to_string(RequestFault fault) noexcept;  // "http_4xx"

inline constexpr uint16_t kNoBackend = 0xffff;

// One request. Latency counts from planned_ns; from sent_ns it is what others print.
struct RequestRecord {
  uint32_t index = 0;            // of the arrival, in order of planning
  int64_t planned_ns = kNoTime;  // open loop: by the schedule; closed: when its place was free
  // The request was given to the kernel; when a new connection was needed, it began to connect.
  int64_t sent_ns = kNoTime;
  int64_t connected_ns = kNoTime;      // kNoTime on a reused connection
  int64_t first_byte_ns = kNoTime;     // of the answer's head
  int64_t first_event_ns = kNoTime;    // first event with data, be it the role event
  int64_t first_token_ns = kNoTime;    // first event with text: content, reasoning, a tool call
  int64_t first_content_ns = kNoTime;  // first event whose text is not reasoning
  int64_t last_token_ns = kNoTime;     // last event with text
  int64_t ended_ns = kNoTime;          // HTTP end, or the fault
  // Between successive events with text, in RunRecord::gaps; token_events - 1 of them (0 if none).
  uint64_t gap_begin = 0;
  uint32_t gap_count = 0;
  uint32_t token_events = 0;          // events with text; of an answer not streamed: 0
  uint32_t events = 0;                // all events with data
  int32_t wanted_prompt_tokens = -1;  // -1: whatever the prompt file's text is
  int32_t wanted_output_tokens = -1;
  int32_t prompt_tokens = -1;  // by `usage`; -1 = it did not say
  int32_t output_tokens = -1;
  int32_t cached_tokens = -1;     // usage.prompt_tokens_details.cached_tokens
  uint64_t bytes_out = 0;         // of the request, head and body
  uint64_t bytes_in = 0;          // of the answer
  uint32_t session = 0;           // multi-turn: which conversation; else = index
  uint16_t turn = 0;              // from 0
  uint16_t status = 0;            // HTTP, 0 = none came
  uint16_t backend = kNoBackend;  // in RunRecord::backends
  uint16_t target = 0;            // in RunRecord::targets
  uint16_t finish_reason = 0;     // in RunRecord::texts; 0 = none came
  uint16_t error = 0;             // in RunRecord::texts; 0 = none. Of an answer its body's message
  uint16_t worker = 0;
  uint8_t attempts = 0;  // X-Weir-Attempts; 0 = it did not say
  RequestOutcome outcome = RequestOutcome::unfinished;
  RequestFault fault = RequestFault::none;
  bool is_streamed = true;
  bool reused_connection = false;
  bool is_resent = false;         // after a reused connection had died before any byte
  bool has_kernel_times = false;  // the receive times are the kernel's, not ours
  bool is_warm_up = false;        // planned before the steady window
  bool has_proper_end = false;    // HTTP said that the answer is whole
  bool has_done = false;          // [DONE]
};

// Gaps are kept in ticks of 100 ns: 429 s fit.
inline constexpr int64_t kGapTick_ns = 100;
inline constexpr uint32_t kLongestGap = std::numeric_limits<uint32_t>::max();

// How the load was made; what of it is not used is 0.
struct LoadRecord {
  enum class Kind : uint8_t { open, closed, users, trace } kind = Kind::open;
  std::string text;  // as said in words: "20 req/s Poisson"
  double rate = 0;   // requests a second; of a ramp or stages the mean
  double rate_begin = 0;
  double rate_end = 0;       // ramps
  double burstiness = 1;     // gamma's shape; 1 = Poisson; infinity = constant distances
  uint32_t concurrency = 0;  // closed loop and users; of open loop --max-inflight, 0 = no bound
  uint32_t requests = 0;     // asked for; 0 = as many as --duration makes
  double duration_s = 0;     // asked for; 0 = until all requests are done
  double warm_up_s = 0;
  double think_s = 0;
  double speed = 1;  // traces
};

struct TargetRecord {
  enum class Role : uint8_t { proxy, direct } role = Role::proxy;  // --ab: A is proxy
  std::string name;  // "host:port", or a backend's name
  std::string url;
};

// One second of the run. Counts of what happened in it.
struct TimelineSecond {
  uint32_t planned = 0;
  uint32_t sent = 0;
  uint32_t ok = 0;
  uint32_t truncated = 0;
  uint32_t failed = 0;
  uint32_t rejected = 0;
  uint32_t first_tokens = 0;
  uint32_t token_events = 0;
  uint64_t output_tokens = 0;  // by usage, booked when a request ends
  uint32_t in_flight = 0;      // at its end
  uint64_t bytes_in = 0;
  int64_t max_lag_ns = 0;  // of the tester: the worst of the three lags
};

// What a worker thread knows of its own fitness.
struct WorkerRecord {
  int64_t wall_ns = 0;
  int64_t cpu_ns = 0;      // of the thread, user and system
  double busy_most = 0;    // share of its core in the busiest whole second; 0 to 1
  uint64_t wakeups = 0;    // turns of the loop that did something
  uint64_t reads = 0;      // system calls that returned bytes
  uint64_t events = 0;     // with text
  uint64_t coalesced = 0;  // events that came in one read behind another one of their stream
  LogHistogram loop_lag;   // how late a timer of 10 ms came
  LogHistogram read_lag;   // kernel's receive time to our read; empty without kernel times
  LogHistogram start_lag;  // sent_ns - planned_ns where nothing of ours made it wait
};

struct ChaosRecord {
  std::string action;  // as given: "drain n01-0"
  int64_t planned_ns = 0;
  int64_t began_ns = kNoTime;
  int64_t ended_ns = kNoTime;
  bool is_ok = false;
  std::string result;  // a line: "200", "exit 0", the problem
};

struct RunRecord {
  // What was asked
  std::vector<std::string> arguments;  // of the command line, keys masked
  std::string started_at;              // wall clock, ISO 8601 with zone, to the second
  std::string date;                    // the same as YYYYMMDD-HHMMSS, local
  std::string version;
  std::string model;
  std::string endpoint;  // "/v1/chat/completions"
  bool is_chat = true;
  bool is_streamed = true;
  uint64_t seed = 0;
  LoadRecord load;
  std::string work;          // in words: "512 tokens in, 128 out"
  std::string length_check;  // how far prompt lengths are exact, in words
  std::vector<TargetRecord> targets;

  // What happened
  int64_t steady_begin_ns = 0;     // end of the warm-up
  int64_t steady_end_ns = 0;       // last planned arrival, or the end of --duration
  int64_t ended_ns = 0;            // the last request ended
  bool was_interrupted = false;    // Ctrl-C
  std::string ended_early;         // why, in words; empty = as planned
  bool is_over_saturated = false;  // more and more in flight: the pool cannot follow
  bool has_kernel_times = false;
  uint32_t most_in_flight = 0;
  uint32_t not_started = 0;  // planned, but --max-inflight or the end kept them from being sent
  uint32_t not_kept = 0;     // requests beyond the record's bound, counted in the timeline only
  std::vector<RequestRecord> requests;  // by index
  std::vector<uint32_t> gaps;           // ticks of kGapTick_ns
  std::vector<std::string> backends;    // names as X-Weir-Backend has them, or the targets'
  std::vector<std::string> texts{""};   // finish reasons and errors, each once
  std::vector<TimelineSecond> timeline;
  std::vector<WorkerRecord> workers;
  std::vector<ChaosRecord> chaos;

  std::span<const uint32_t> gaps_of(const RequestRecord& request) const {
    return std::span<const uint32_t>(gaps).subspan(request.gap_begin, request.gap_count);
  }
};

}  // namespace weir
