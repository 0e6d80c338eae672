// May this exchange be tried again, and where: one pure function of what went wrong, how far it
// got, and how often it was sent. No state, any thread.
#pragma once

#include <cstdint>

#include "weir/error.h"

namespace weir {

enum class Progress : uint8_t {
  not_sent,        // no byte of the request went out on this connection
  sent,            // some of it did; no byte of the response came
  response_begun,  // bytes came, but none was passed on to the client
  committed,       // the client has seen a part of the response
};

struct RetrySituation {
  Error error;
  Progress progress = Progress::not_sent;
  int sends = 0;               // so far, this one included if it was sent
  int max_sends = 2;           // `attempts`
  bool is_repeatable = false;  // by method and path
  bool is_body_held = false;   // all of the body that was sent can be sent again
  int deaths = 0;              // backends that died with this request in hand before this one
};

// Did the backend die (and not merely refuse, decline or break the rules) with the request in hand?
// Whoever sends requests counts these, for the next RetrySituation.
bool is_death(const Error& error, Progress progress) noexcept;

// A request that so many backends died of is the likely cause of it and is given to no other.
inline constexpr int kPoisonDeaths = 2;

enum class RetryVerdict : uint8_t {
  give_up,
  elsewhere,      // another backend; this one is excluded
  same_or_other,  // a stale reused connection: a fresh one, the same backend is allowed
};

RetryVerdict judge_retry(const RetrySituation& situation) noexcept;

}  // namespace weir
