// What can go wrong on the data path, as data: who is to blame, which HTTP status it means, and
// whether it speaks against the health of a backend. Error is small and trivially copyable; it is
// passed by value and never thrown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// Who is charged for it: the 4xx, the backend's health, or us.
enum class Blame : uint8_t { client, backend, balancer };

enum class ErrorKind : uint8_t {
  // the client's
  bad_request,           // malformed HTTP, framing or Host
  head_too_large,        // 431
  target_too_long,       // 414
  body_too_large,        // 413
  method_unsupported,    // 501
  version_unsupported,   // 505
  expectation_failed,    // 417
  coding_unsupported,    // 501, a Transfer-Encoding other than chunked
  path_unknown,          // 404, not one of the inference paths
  path_not_allowed,      // 403, engine control
  model_not_found,       // 404
  unauthorized,          // 401
  request_head_timeout,  // 408, the head came too slowly
  request_body_timeout,  // 408, the body did
  client_gone,           // the client left; nobody to answer
  write_stall,           // it takes nothing of its answer; nobody to answer
  tunnel_idle,           // nothing passed through an upgraded connection for too long
  // ours
  queue_full,        // 429
  queue_timeout,     // 503
  request_deadline,  // 504, all attempts together took too long
  backends_loading,  // 503
  no_backend_ready,  // 503
  draining,          // 503
  internal,          // 500
  out_of_memory,     // 503, a bounded buffer or table is full
  // the backend's
  connect_refused,
  connect_timeout,
  connect_failed,         // unreachable, no route, name does not resolve
  backend_closed,         // closed or reset before any byte of the response
  bad_response,           // not valid HTTP, or framing that cannot be trusted
  first_byte_timeout,     // 504
  between_bytes_timeout,  // an answer that had begun fell silent for too long
  stream_silent,          // its port refuses and the stream has been silent
  stream_interrupted,     // closed or reset in the middle of a response
  stream_aborted,         // finish_reason "abort" that the client did not cause
  backend_declined,  // answered that it is busy (503) or shutting down: another one may take it
  gateway_status,    // answered 502 or 504: passed on, but counted
};
inline constexpr int kErrorKinds = static_cast<int>(ErrorKind::gateway_status) + 1;

struct Error {
  ErrorKind kind = ErrorKind::internal;
  bool on_reused_connection = false;  // the classic safe retry
  int os_error = 0;                   // errno, or 0
};

// One row a kind; the table is in error.cpp and a test visits every kind.
struct ErrorTraits {
  ErrorKind kind;
  std::string_view name;  // the log's and the metrics' word: "connect_refused"
  Blame blame;
  int status;                // HTTP status towards the client; 0 = no answer is possible
  std::string_view type;     // OpenAI's error.type
  std::string_view code;     // OpenAI's error.code
  std::string_view message;  // one English sentence without a final full stop
  bool against_health;       // counts as a failure of the backend
  int retry_after_seconds;   // 0 = no Retry-After
  bool should_not_retry;     // x-should-retry: false
};

const ErrorTraits& traits(ErrorKind kind) noexcept;
inline std::string_view name(ErrorKind kind) noexcept {
  return traits(kind).name;
}
inline Blame blame(ErrorKind kind) noexcept {
  return traits(kind).blame;
}

// "connect_refused (Connection refused)"
std::string describe(const Error& error);

}  // namespace weir
