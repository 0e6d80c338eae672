// What a pretend server can be told to do wrong, as data, and how it is written: KIND[:WHEN]. On
// the command line, in the request header x-mock-fault and in POST /mock/fault. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/result.h"
#include "weir/timer.h"

namespace weir {

enum class FaultKind : uint8_t {
  none,
  // at start; --fault only
  die_at_start,  // [:D] exits with 1 after D
  never_ready,   // bound, never listening
  slow_start,    // :D   loads for D longer
  // when a request comes
  die,               // dies before the head; in POST /mock/fault: dies now
  http_500,          // "500"[:N] engine failure; N = only the next N requests
  http_503,          // "503"[:N] busy
  die_in_prefill,    // [:D] dies D after the request, the first token never comes
  die_mid_stream,    // [:N] dies after N tokens
  reset_mid_stream,  // [:N] this connection gets RST after N tokens; the server lives
  fin_mid_stream,    // [:N] the same with FIN, without the last chunk
  hang_in_prefill,   // "hang" or "hang:in_prefill"
  hang_mid_stream,   // "hang:mid_stream"[:N]
  hang_health,       // "hang:health": /health accepts and says nothing
  unhealthy,         // /health answers 503
  slow_prefill,      // :D   the first token comes D later
  abort,             // [:N] finish_reason "abort" and a clean end
  error_event,       // [:N] the event of a dead engine and a clean end
  // between requests
  close_idle_at_once,  // [:D] FIN D after each answer, unannounced
  drop_reused,         // RST instead of an answer to each second and later request of a connection
  // POST /mock/fault only: as if SIGTERM had come
  term_abort,
  term_drain,
  term_hang,
  term_exit,
};

struct Fault {
  FaultKind kind = FaultKind::none;
  uint32_t tokens = 3;  // where it strikes, for the [:N] of streams
  uint32_t count = 0;   // how many requests it strikes; 0 = all
  Duration delay{};     // the D above

  bool operator==(const Fault&) const = default;
};

// Where the text was written; what makes no sense there is a Problem.
enum class FaultPlace : uint8_t { command_line, request_header, admin };

// "die_mid_stream:20", "hang:health", "slow_start:2s", "none".
Result<Fault, Problem> parse_fault(std::string_view text, FaultPlace place);

// "250us", "80ms", "1.5s", "2m", "1h"; a bare number is seconds.
Result<Duration, Problem> parse_mock_duration(std::string_view text);

// The inverse of parse_fault, for logs: "hang:mid_stream:3".
std::string to_string(const Fault& fault);

}  // namespace weir
