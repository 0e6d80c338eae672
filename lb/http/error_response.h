// Errors that weir itself answers, always in OpenAI's JSON shape, and the last event of a stream
// that broke. Pure functions that append.
#pragma once

#include <string>
#include <string_view>

#include "weir/error.h"

#include "lb/http/path_policy.h"

namespace weir::http {

struct ErrorAnswer {
  ErrorKind kind;
  std::string_view message = {};  // empty = the kind's own
  std::string_view request_id = {};
  std::string_view backend = {};  // X-Weir-Backend of the last attempt; empty = left out
  int attempts = 0;               // X-Weir-Attempts; 0 = left out
  // 0 = the kind's own, which may be none. Spread by a fifth; sent as Retry-After (s, rounded up)
  // and retry-after-ms.
  int retry_after_ms = 0;
  std::string_view date = {};  // an HTTP-date; empty = left out (nothing here knows a clock)
  int client_minor_version = 1;
  bool close = false;    // "Connection: close"
  bool is_head = false;  // the head only
};
void append_error_response(const ErrorAnswer& answer, std::string* out);

// {"error":{"message":…,"type":…,"param":null,"code":…}}
void append_error_body(ErrorKind kind, std::string_view message, std::string* out);

// The event as text: `data: {"error":…}\n\n`, or `event: error\ndata: …\n\n` in the shape of
// /v1/messages or /v1/responses.
void append_error_event(ApiShape shape, ErrorKind kind, std::string_view message, std::string* out);

}  // namespace weir::http
