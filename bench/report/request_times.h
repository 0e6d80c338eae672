// What one request took, by the definitions of docs/bench.md; ms, negative = it has no such time.
// Pure; any thread.
#pragma once

#include <cstdint>

#include "bench/record/run_record.h"

namespace weir {

inline constexpr double kNoMs = -1;

inline double ms_between(int64_t begin_ns, int64_t end_ns) {
  if (begin_ns == kNoTime || end_ns == kNoTime) return kNoMs;
  return end_ns < begin_ns ? 0 : static_cast<double>(end_ns - begin_ns) / 1e6;
}

inline double gap_ms(uint32_t ticks) {
  return static_cast<double>(ticks) * (static_cast<double>(kGapTick_ns) / 1e6);
}

// The last token; of an answer that is not streamed, its end.
inline int64_t last_of(const RequestRecord& request) {
  return request.last_token_ns != kNoTime ? request.last_token_ns : request.ended_ns;
}

// By `usage`; where it did not say, the events that came (each at least one token).
inline uint32_t output_tokens_of(const RequestRecord& request) {
  return request.output_tokens >= 0 ? static_cast<uint32_t>(request.output_tokens)
                                    : request.token_events;
}

inline double tpot_ms(const RequestRecord& request) {
  const uint32_t tokens = output_tokens_of(request);
  const double decode = ms_between(request.first_token_ns, request.last_token_ns);
  return tokens > 1 && decode >= 0 ? decode / (tokens - 1) : kNoMs;
}

// Counted from the plan, which is what a user waits; from the send is what other testers print.
inline double ttft_ms(const RequestRecord& request) {
  return ms_between(request.planned_ns, request.first_token_ns);
}
inline double ttft_from_send_ms(const RequestRecord& request) {
  return ms_between(request.sent_ns, request.first_token_ns);
}
inline double e2el_ms(const RequestRecord& request) {
  return ms_between(request.planned_ns, last_of(request));
}
inline double e2el_from_send_ms(const RequestRecord& request) {
  return ms_between(request.sent_ns, last_of(request));
}
inline double start_delay_ms(const RequestRecord& request) {
  return ms_between(request.planned_ns, request.sent_ns);
}

inline bool is_ok(const RequestRecord& request) {
  return request.outcome == RequestOutcome::ok;
}
inline bool is_lost(const RequestRecord& request) {
  return request.outcome == RequestOutcome::truncated ||
         request.outcome == RequestOutcome::failed || request.outcome == RequestOutcome::rejected;
}

}  // namespace weir
