// What the data path is told at start: limits, times, policy of paths and retries. Filled by lb/app
// from the Config; zero durations mean "no limit". Value type, immutable while serving.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/subnet.h"
#include "weir/timer.h"

#include "lb/http/head_rewriter.h"
#include "lb/http/limits.h"
#include "lb/http/path_policy.h"

namespace weir {

struct ProxyOptions {
  http::HeadLimits head_limits;
  Duration request_head = std::chrono::seconds(
      10);  // absolute, from its first byte: a slow head is not re-armed per byte
  Duration request_body = std::chrono::seconds(30);  // between two reads
  Duration idle = std::chrono::seconds(75);          // between two requests
  Duration write_stall =
      std::chrono::seconds(60);  // a client that takes nothing although bytes wait for it
  Duration first_byte{};         // until the answer begins; of an event stream: its first event
  Duration between_bytes{};
  Duration request{};  // one deadline for all attempts, until the answer begins
  Duration tunnel = std::chrono::hours(1);  // of an upgraded connection without traffic
  Duration hold =
      std::chrono::seconds(60);  // the head of an event stream waits for its first event so long …
  size_t hold_bytes = 16 * 1024;  // … and for so many bytes of comments
  size_t plain_hold_bytes =
      8 * 1024 * 1024;  // a plain JSON answer up to this is held until it is whole
  size_t plain_hold_total = 64 * 1024 * 1024;  // of all such answers of a worker
  size_t replay_bytes =
      8 * 1024 * 1024;  // a request body up to this is kept so that it can be sent again
  Duration silent_grace =
      std::chrono::milliseconds(1500);  // silence of a stream whose backend's port refuses
  http::PathMode paths = http::PathMode::inference;
  int max_sends = 2;
  bool fin_is_leaving = true;           // client_half_close: abort
  bool passes_aborted = false;          // abort: pass
  bool adds_via = false;                // "Via: 1.1 weir" in both directions
  std::vector<Subnet> trusted_proxies;  // whose X-Forwarded-* are kept and extended
  std::vector<http::HeaderRule> header_up;
  std::vector<http::HeaderRule> header_down;
  std::string
      required_key;  // a client without it, and not let in by the gate, gets 401; empty = none
};

// Client connections above it pause the backend, below it resumes (bytes waiting for a client that
// reads slowly).
inline constexpr size_t kHighWater = 256 * 1024;
inline constexpr size_t kLowWater = 64 * 1024;

}  // namespace weir
