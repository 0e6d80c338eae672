#include "lb/http/head_rewriter.h"

#include <array>

#include "lb/http/ascii.h"
#include "lb/http/rewrite_parts.h"

namespace weir::http {
namespace {

bool is_credential(FieldName name) {
  return name == FieldName::authorization || name == FieldName::api_key ||
         name == FieldName::x_api_key;
}

bool has_body_without_one(Method method) {
  return method == Method::post || method == Method::put || method == Method::patch;
}

// Some applications read "_" as "-": such a twin of a field of ours would contradict it.
bool is_twin_of_ours(std::string_view name) {
  if (name.size() > 32 || name.find('_') == name.npos) return false;
  std::array<char, 32> straight;
  for (size_t i = 0; i < name.size(); ++i) straight[i] = name[i] == '_' ? '-' : name[i];
  const FieldName twin = field_name({straight.data(), name.size()});
  return twin >= FieldName::connection && twin <= FieldName::x_api_key;
}

// Fields of ours that the client's values may stay in front of, or not.
struct Forwarded {
  std::string_view proto;
  std::string_view host;
  bool has_for = false;
};

void put_forwarded_for(const RequestHead& head, const RequestRewrite& how, bool has_for,
                       LineWriter* out) {
  if (is_removed(how.rules, "X-Forwarded-For")) return;
  if (!has_for && how.client_address.empty()) return;
  out->text("X-Forwarded-For: ");
  std::string_view comma;
  if (has_for) {
    for (const Field& field : head.fields.all()) {
      if (field.id != FieldName::x_forwarded_for || field.value.empty()) continue;
      out->text(comma).text(field.value);
      comma = ", ";
    }
  }
  if (!how.client_address.empty()) out->text(comma).text(how.client_address);
  out->text("\r\n");
}

void put_forwarding(const RequestHead& head, const RequestRewrite& how, const Forwarded& kept,
                    LineWriter* out) {
  put_forwarded_for(head, how, kept.has_for, out);
  out->ours(how.rules, "X-Forwarded-Proto", kept.proto.empty() ? how.scheme : kept.proto);
  const std::string_view host = kept.host.empty() ? head.host : kept.host;
  if (!host.empty()) out->ours(how.rules, "X-Forwarded-Host", host);
}

// Where the lines of a request go.
struct RequestLines {
  LineWriter lines;
  LineWriter credentials;
  LineWriter& of(FieldName name) { return is_credential(name) ? credentials : lines; }
};

// One field of the client into lines or credentials, or nowhere.
void copy_request_field(const Field& field, const RequestRewrite& how,
                        const NamedByConnection& named, Forwarded* kept, RequestLines* out) {
  if (is_hop_by_hop(field.id)) return;
  switch (field.id) {
    case FieldName::host:
    case FieldName::content_length:
    case FieldName::x_request_id:
      return;
    case FieldName::x_forwarded_for:
      kept->has_for = how.trusts_client;
      return;
    case FieldName::x_forwarded_proto:
      if (how.trusts_client) kept->proto = field.value;
      return;
    case FieldName::x_forwarded_host:
      if (how.trusts_client) kept->host = field.value;
      return;
    case FieldName::forwarded:
      if (!how.trusts_client) return;
      break;
    default:
      break;
  }
  if (named.has(field.name) || is_removed(how.rules, field.name)) return;
  if (field.id == FieldName::other && is_twin_of_ours(field.name)) return;
  out->of(field.id).field(field);
}

void apply_request_rules(std::span<const HeaderRule> rules, RequestLines* out, std::string* host) {
  for (const HeaderRule& rule : rules) {
    if (!adds(rule)) continue;
    const FieldName name = field_name(rule.name);
    if (name == FieldName::host) {
      *host = rule.value;
    } else {
      out->of(name).line(rule.name, rule.value);
    }
  }
}

}  // namespace

void rewrite_request(const RequestHead& head, const RequestRewrite& how, RewrittenRequest* out) {
  out->clear();
  out->host = head.host;
  RequestLines parts{LineWriter(&out->lines), LineWriter(&out->credentials)};
  LineWriter& lines = parts.lines;
  lines.text(to_string(head.method)).text(" ").text(head.target).text(" HTTP/1.1\r\n");
  const NamedByConnection named(head.fields);
  Forwarded kept;
  for (const Field& field : head.fields.all()) {
    copy_request_field(field, how, named, &kept, &parts);
  }
  put_forwarding(head, how, kept, &lines);
  lines.ours(how.rules, "X-Request-Id", how.request_id);
  if (head.accepts_trailers) lines.line("TE", "trailers");
  if (how.adds_via) lines.ours(how.rules, "Via", via_of(head.minor_version));
  if (!how.upgrade.empty()) {
    lines.line("Connection", "Upgrade");
    lines.line("Upgrade", how.upgrade);
  }
  apply_request_rules(how.rules, &parts, &out->host);
}

void finish_request(const RewrittenRequest& request, const BackendLines& backend, Method method,
                    Framing framing, std::string* out) {
  LineWriter lines(out);
  lines.text(request.lines);
  // HTTP/1.1 needs a Host; a client of HTTP/1.0 may have sent none.
  const std::string_view host = !backend.host_header.empty() ? backend.host_header : request.host;
  lines.line("Host", host.empty() ? "localhost" : host);
  if (backend.api_key.empty()) {
    lines.text(request.credentials);
  } else {
    lines.text("Authorization: Bearer ").text(backend.api_key).text("\r\n");
  }
  switch (framing.kind) {
    case BodyKind::none:
    case BodyKind::until_close:
      if (has_body_without_one(method)) lines.line("Content-Length", "0");
      break;
    case BodyKind::length:
      lines.number("Content-Length", framing.length);
      break;
    case BodyKind::chunked:
      lines.line("Transfer-Encoding", "chunked");
      break;
  }
  lines.text("\r\n");
}

}  // namespace weir::http
