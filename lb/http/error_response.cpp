#include "lb/http/error_response.h"

#include "weir/json_string.h"

#include "lb/http/status_reason.h"

namespace weir::http {
namespace {

// 0.8 to 1.2 times `ms`, by the request: clients refused together do not come back together.
// FNV-1a.
int spread(int ms, std::string_view request_id) {
  uint32_t hash = 2166136261U;
  for (const char c : request_id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  const int permille = 800 + static_cast<int>((hash ^ hash >> 16) % 401);
  return static_cast<int>(static_cast<int64_t>(ms) * permille / 1000);
}

void put(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append("\r\n");
}

void put_retry(const ErrorAnswer& answer, std::string* out) {
  const ErrorTraits& kind = traits(answer.kind);
  const int wait =
      answer.retry_after_ms > 0 ? answer.retry_after_ms : kind.retry_after_seconds * 1000;
  const int ms = spread(wait, answer.request_id);
  if (ms > 0) {
    put("Retry-After", std::to_string((ms + 999) / 1000), out);
    put("retry-after-ms", std::to_string(ms), out);
  }
  if (kind.should_not_retry) put("x-should-retry", "false", out);
}

void put_head(const ErrorAnswer& answer, size_t body_bytes, std::string* out) {
  const int status = traits(answer.kind).status;
  out->append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  out->append(status_reason(status)).append("\r\n");
  if (!answer.date.empty()) put("Date", answer.date, out);
  put("Content-Type", "application/json", out);
  put("Content-Length", std::to_string(body_bytes), out);
  if (!answer.request_id.empty()) put("X-Request-Id", answer.request_id, out);
  if (!answer.backend.empty()) put("X-Weir-Backend", answer.backend, out);
  if (answer.attempts > 0) put("X-Weir-Attempts", std::to_string(answer.attempts), out);
  if (status == 401) put("WWW-Authenticate", "Bearer", out);
  put_retry(answer, out);
  if (answer.close) {
    put("Connection", "close", out);
  } else if (answer.client_minor_version == 0) {
    put("Connection", "keep-alive", out);
  }
  out->append("\r\n");
}

// Anthropic's words for the same.
std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

void append_error_response(const ErrorAnswer& answer, std::string* out) {
  std::string body;
  append_error_body(answer.kind, answer.message, &body);
  put_head(answer, body.size(), out);
  if (!answer.is_head) out->append(body);
}

void append_error_body(ErrorKind kind, std::string_view message, std::string* out) {
  const ErrorTraits& row = traits(kind);
  out->append("{\"error\":{\"message\":");
  append_json_string(*out, message.empty() ? row.message : message);
  out->append(",\"type\":");
  append_json_string(*out, row.type);
  out->append(",\"param\":null,\"code\":");
  append_json_string(*out, row.code);
  out->append("}}");
}

void append_error_event(ApiShape shape, ErrorKind kind, std::string_view message,
                        std::string* out) {
  const ErrorTraits& row = traits(kind);
  const std::string_view text = message.empty() ? row.message : message;
  switch (shape) {
    case ApiShape::openai:
      out->append("data: ");
      append_error_body(kind, text, out);
      break;
    case ApiShape::anthropic:
      out->append("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":");
      append_json_string(*out, anthropic_type(row.status));
      out->append(",\"message\":");
      append_json_string(*out, text);
      out->append("}}");
      break;
    case ApiShape::responses: {
      // The members of the API's own error event, and "error", which makes the SDKs raise.
      out->append("event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":");
      append_json_string(*out, row.code);
      out->append(",\"message\":");
      append_json_string(*out, text);
      std::string body;
      append_error_body(kind, text, &body);
      out->append(",\"param\":null,").append(body, 1);
      break;
    }
  }
  out->append("\n\n");
}

}  // namespace weir::http
