// The response half of head_rewriter.

#include <array>

#include "lb/http/head_rewriter.h"
#include "lb/http/rewrite_parts.h"

namespace weir::http {
namespace {

void put_status_line(const ResponseHead& head, std::string* out) {
  std::array<char, 16> line{"HTTP/1.1 000 "};
  line[9] = static_cast<char>('0' + head.status / 100);
  line[10] = static_cast<char>('0' + head.status / 10 % 10);
  line[11] = static_cast<char>('0' + head.status % 10);
  out->append(line.data(), 13).append(head.reason).append("\r\n");
}

// 1xx, 204 and 304 end with their head.
bool is_only_head(int status) {
  return status < 200 || status == 204 || status == 304;
}

void put_response_framing(const ResponseHead& head, const ResponseRewrite& how, std::string* out) {
  if (is_only_head(head.status)) return;
  switch (how.framing.kind) {
    case BodyKind::none:  // an answer to HEAD: as long as the one to GET would be
      if (const auto length = head.fields.find(FieldName::content_length)) {
        put("Content-Length", *length, out);
      }
      break;
    case BodyKind::length:
      put_number("Content-Length", how.framing.length, out);
      break;
    case BodyKind::chunked:
      if (how.client_minor_version > 0) put("Transfer-Encoding", "chunked", out);
      break;
    case BodyKind::until_close:
      break;
  }
}

void put_response_connection(const ResponseHead& head, const ResponseRewrite& how,
                             std::string* out) {
  if (head.status == 101) {
    const auto upgrade = head.fields.find(FieldName::upgrade);
    if (!how.passes_upgrade || !upgrade) return;
    put("Connection", "Upgrade", out);
    put("Upgrade", *upgrade, out);
    return;
  }
  if (head.status < 200) return;
  const bool ends_by_close =
      how.framing.kind == BodyKind::until_close ||
      (how.framing.kind == BodyKind::chunked && how.client_minor_version == 0);
  if (!how.client_keeps_alive || ends_by_close) {
    put("Connection", "close", out);
  } else if (how.client_minor_version == 0) {
    put("Connection", "keep-alive", out);
  }
}

// Fields that the backend may not send in our name, and those that are written anew.
bool is_dropped_from_response(FieldName name) {
  switch (name) {
    case FieldName::content_length:
    case FieldName::x_request_id:
    case FieldName::x_weir_attempts:
    case FieldName::x_weir_backend:
      return true;
    default:
      return is_hop_by_hop(name);
  }
}

void put_stream_fields(const ResponseHead& head, std::span<const HeaderRule> rules,
                       std::string* out) {
  if (!head.is_event_stream) return;
  if (!head.fields.find(FieldName::x_accel_buffering)) {
    put_ours(rules, "X-Accel-Buffering", "no", out);
  }
  if (!head.fields.find(FieldName::cache_control)) {
    put_ours(rules, "Cache-Control", "no-cache", out);
  }
}

}  // namespace

void rewrite_response(const ResponseHead& head, const ResponseRewrite& how, std::string* out) {
  put_status_line(head, out);
  const NamedByConnection named(head.fields);
  for (const Field& field : head.fields.all()) {
    if (is_dropped_from_response(field.id)) continue;
    if (named.has(field.name) || is_removed(how.rules, field.name)) continue;
    put(field.name, field.value, out);
  }
  put_stream_fields(head, how.rules, out);
  if (!how.request_id.empty()) put_ours(how.rules, "X-Request-Id", how.request_id, out);
  if (!how.backend.empty()) put_ours(how.rules, "X-Weir-Backend", how.backend, out);
  if (how.attempts > 0 && !is_removed(how.rules, "X-Weir-Attempts")) {
    put_number("X-Weir-Attempts", static_cast<uint64_t>(how.attempts), out);
  }
  for (const HeaderRule& rule : how.rules) {
    if (adds(rule)) put(rule.name, rule.value, out);
  }
  put_response_framing(head, how, out);
  put_response_connection(head, how, out);
  out->append("\r\n");
}

}  // namespace weir::http
