#include "weir/error.h"

#include <string.h>

#include <array>

#include "weir/assert.h"

namespace weir {
namespace {

using enum ErrorKind;
constexpr std::string_view kInvalid = "invalid_request_error";
constexpr std::string_view kServer = "server_error";
constexpr Blame kClient = Blame::client;
constexpr Blame kBackend = Blame::backend;
constexpr Blame kOurs = Blame::balancer;

// kind, name, blame, status, type, code, message, against_health, retry_after, should_not_retry
constexpr std::array<ErrorTraits, kErrorKinds> kTable{{
    {bad_request, "bad_request", kClient, 400, kInvalid, "bad_request",
     "the request is not valid HTTP/1.1", false, 0, false},
    {head_too_large, "head_too_large", kClient, 431, kInvalid, "request_too_large",
     "the request head is too large", false, 0, false},
    {target_too_long, "target_too_long", kClient, 414, kInvalid, "request_too_large",
     "the request target is too long", false, 0, false},
    {body_too_large, "body_too_large", kClient, 413, kInvalid, "request_too_large",
     "the request body is too large", false, 0, false},
    {method_unsupported, "method_unsupported", kClient, 501, kInvalid, "not_supported",
     "this method is not supported", false, 0, false},
    {version_unsupported, "version_unsupported", kClient, 505, kInvalid, "not_supported",
     "only HTTP/1.0 and HTTP/1.1 are supported", false, 0, false},
    {expectation_failed, "expectation_failed", kClient, 417, kInvalid, "not_supported",
     "the only supported expectation is 100-continue", false, 0, false},
    {coding_unsupported, "coding_unsupported", kClient, 501, kInvalid, "not_supported",
     "the only supported transfer coding is chunked", false, 0, false},
    {path_unknown, "path_unknown", kClient, 404, kInvalid, "path_not_allowed",
     "this path is not one that is forwarded", false, 0, false},
    {path_not_allowed, "path_not_allowed", kClient, 403, kInvalid, "path_not_allowed",
     "this path controls the engine and is not forwarded", false, 0, false},
    {model_not_found, "model_not_found", kClient, 404, kInvalid, "model_not_found",
     "no pool serves this model", false, 0, true},
    {unauthorized, "unauthorized", kClient, 401, "authentication_error", "invalid_api_key",
     "the API key is missing or wrong", false, 0, false},
    {request_head_timeout, "request_head_timeout", kClient, 408, kInvalid, "request_timeout",
     "the head of the request came too slowly", false, 0, false},
    {request_body_timeout, "request_body_timeout", kClient, 408, kInvalid, "request_timeout",
     "the body of the request came too slowly", false, 0, false},
    {client_gone, "client_gone", kClient, 0, kInvalid, "client_gone", "the client left", false, 0,
     false},
    {write_stall, "write_stall", kClient, 0, kInvalid, "client_gone",
     "the client took nothing of its answer for too long", false, 0, false},
    {tunnel_idle, "tunnel_idle", kClient, 0, kInvalid, "tunnel_idle",
     "nothing passed through the upgraded connection for too long", false, 0, false},
    {queue_full, "queue_full", kOurs, 429, "rate_limit_error", "queue_full",
     "every backend is busy and the waiting room is full", false, 2, false},
    {queue_timeout, "queue_timeout", kOurs, 503, kServer, "queue_timeout",
     "every backend was busy for as long as a request may wait", false, 2, false},
    {request_deadline, "request_deadline", kOurs, 504, kServer, "request_deadline",
     "the request was not answered within its time", false, 0, true},
    {backends_loading, "backends_loading", kOurs, 503, kServer, "backends_loading",
     "no backend is ready yet", false, 10, false},
    {no_backend_ready, "no_backend_ready", kOurs, 503, kServer, "no_backend_ready",
     "no backend is ready", false, 5, false},
    {draining, "draining", kOurs, 503, kServer, "draining", "weir is shutting down", false, 1,
     false},
    {internal, "internal", kOurs, 500, kServer, "internal_error", "an error inside weir", false, 0,
     false},
    {out_of_memory, "out_of_memory", kOurs, 503, kServer, "overloaded",
     "weir has no memory left for this request", false, 2, false},
    {connect_refused, "connect_refused", kBackend, 502, kServer, "backend_failed",
     "the backend refused the connection", true, 1, false},
    {connect_timeout, "connect_timeout", kBackend, 502, kServer, "backend_failed",
     "the backend did not accept a connection in time", true, 1, false},
    {connect_failed, "connect_failed", kBackend, 502, kServer, "backend_failed",
     "the backend could not be reached", true, 1, false},
    {backend_closed, "backend_closed", kBackend, 502, kServer, "backend_failed",
     "the backend closed the connection before it answered", true, 1, false},
    {bad_response, "bad_response", kBackend, 502, kServer, "bad_backend_response",
     "the backend sent no valid response", true, 1, false},
    {first_byte_timeout, "first_byte_timeout", kBackend, 504, kServer, "first_byte_timeout",
     "the backend did not begin to answer in time", true, 0, true},
    {between_bytes_timeout, "between_bytes_timeout", kBackend, 504, kServer, "stream_interrupted",
     "the backend fell silent in the middle of its answer", true, 0, true},
    {stream_silent, "stream_silent", kBackend, 502, kServer, "backend_failed",
     "the backend went away and its stream fell silent", true, 1, false},
    {stream_interrupted, "stream_interrupted", kBackend, 502, kServer, "stream_interrupted",
     "the backend broke off in the middle of its answer", true, 1, false},
    {stream_aborted, "stream_aborted", kBackend, 502, kServer, "stream_interrupted",
     "the backend aborted this answer before it was complete", true, 1, false},
    {backend_declined, "backend_declined", kBackend, 502, kServer, "backend_failed",
     "the backend declined the request", false, 1, false},
    {gateway_status, "gateway_status", kBackend, 502, kServer, "backend_failed",
     "the backend answered with an error of a gateway", true, 1, false},
}};

constexpr bool in_order() {
  for (int i = 0; i < kErrorKinds; ++i) {
    if (static_cast<int>(kTable[static_cast<size_t>(i)].kind) != i) return false;
  }
  return true;
}
static_assert(in_order(), "one row for each ErrorKind, in the order of the enum");

}  // namespace

const ErrorTraits& traits(ErrorKind kind) noexcept {
  return kTable[static_cast<size_t>(kind)];
}

std::string describe(const Error& error) {
  std::string text(name(error.kind));
  if (error.os_error != 0) {
    text += " (";
    text += ::strerror(error.os_error);
    text += ")";
  }
  return text;
}

}  // namespace weir
