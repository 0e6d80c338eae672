// The response half of head_rewriter.

#include <array>

#include "lb/http/head_rewriter.h"
#include "lb/http/rewrite_parts.h"

namespace weir::http {
namespace {

void put_status_line(const ResponseHead& head, LineWriter* out) {
  std::array<char, 16> line{"HTTP/1.1 000 "};
  line[9] = static_cast<char>('0' + head.status / 100);
  line[10] = static_cast<char>('0' + head.status / 10 % 10);
  line[11] = static_cast<char>('0' + head.status % 10);
  out->text({line.data(), 13}).text(head.reason).literal("\r\n");
}

// 1xx, 204 and 304 end with their head.
bool is_only_head(int status) {
  return status < 200 || status == 204 || status == 304;
}

void put_response_framing(const ResponseHead& head, const ResponseRewrite& how, LineWriter* out) {
  if (is_only_head(head.status)) return;
  switch (how.framing.kind) {
    case BodyKind::none:  // an answer to HEAD: as long as the one to GET would be
      if (const auto length = head.fields.find(FieldName::content_length)) {
        out->line("Content-Length: ", *length);
      }
      break;
    case BodyKind::length:
      out->number("Content-Length: ", how.framing.length);
      break;
    case BodyKind::chunked:
      if (how.client_minor_version > 0) out->literal("Transfer-Encoding: chunked\r\n");
      break;
    case BodyKind::until_close:
      break;
  }
}

void put_response_connection(const ResponseHead& head, const ResponseRewrite& how,
                             LineWriter* out) {
  if (head.status == 101) {
    const auto upgrade = head.fields.find(FieldName::upgrade);
    if (!how.passes_upgrade || !upgrade) return;
    out->literal("Connection: Upgrade\r\n");
    out->line("Upgrade: ", *upgrade);
    return;
  }
  if (head.status < 200) return;
  const bool ends_by_close =
      how.framing.kind == BodyKind::until_close ||
      (how.framing.kind == BodyKind::chunked && how.client_minor_version == 0);
  if (!how.client_keeps_alive || ends_by_close) {
    out->literal("Connection: close\r\n");
  } else if (how.client_minor_version == 0) {
    out->literal("Connection: keep-alive\r\n");
  }
}

// Fields that the backend may not send in our name, and those that are written anew.
constexpr FieldNames kDropped{FieldName::content_length, FieldName::x_request_id,
                              FieldName::x_weir_attempts, FieldName::x_weir_backend};

void copy_response(const ResponseHead& head, const ResponseRewrite& how, LineWriter* out) {
  if (head.whole_line.empty()) put_status_line(head, out);
  LineCopier copier(out);
  if (!head.whole_line.empty()) copier.line(head.whole_line);
  const NamedByConnection named(head);
  for (const Field& field : head.fields.all()) {
    const bool announces_trailers = field.id == FieldName::trailer && how.passes_trailers;
    if ((is_hop_by_hop(field.id) && !announces_trailers) || kDropped.has(field.id)) continue;
    if (named.has(field.name) || is_removed(how.rules, field.name)) continue;
    copier.field(field);
  }
}

void put_stream_fields(const ResponseHead& head, std::span<const HeaderRule> rules,
                       LineWriter* out) {
  if (!head.is_event_stream) return;
  if (!head.fields.find(FieldName::x_accel_buffering)) {
    out->ours(rules, "X-Accel-Buffering: ", "no");
  }
  if (!head.fields.find(FieldName::cache_control)) {
    out->ours(rules, "Cache-Control: ", "no-cache");
  }
}

}  // namespace

void rewrite_response(const ResponseHead& head, const ResponseRewrite& how, std::string* out) {
  LineWriter lines(out);
  copy_response(head, how, &lines);
  put_stream_fields(head, how.rules, &lines);
  if (!how.request_id.empty()) lines.ours(how.rules, "X-Request-Id: ", how.request_id);
  if (!how.backend.empty()) lines.ours(how.rules, "X-Weir-Backend: ", how.backend);
  if (how.attempts > 0 && !is_removed(how.rules, "X-Weir-Attempts")) {
    lines.number("X-Weir-Attempts: ", static_cast<uint64_t>(how.attempts));
  }
  if (how.adds_via) lines.ours(how.rules, "Via: ", via_of(head.minor_version));
  for (const HeaderRule& rule : how.rules) {
    if (adds(rule)) lines.line(Field{rule.name, rule.value});
  }
  put_response_framing(head, how, &lines);
  put_response_connection(head, how, &lines);
  lines.literal("\r\n");
}

}  // namespace weir::http
