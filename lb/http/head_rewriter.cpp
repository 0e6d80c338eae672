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
  if (!has_for) {
    if (!how.client_address.empty()) out->line("X-Forwarded-For: ", how.client_address);
    return;
  }
  out->literal("X-Forwarded-For: ");
  std::string_view comma;
  for (const Field& field : head.fields.all()) {
    if (field.id != FieldName::x_forwarded_for || field.value.empty()) continue;
    out->text(comma).text(field.value);
    comma = ", ";
  }
  if (!how.client_address.empty()) out->text(comma).text(how.client_address);
  out->literal("\r\n");
}

void put_forwarding(const RequestHead& head, const RequestRewrite& how, const Forwarded& kept,
                    LineWriter* out) {
  put_forwarded_for(head, how, kept.has_for, out);
  out->ours(how.rules, "X-Forwarded-Proto: ", kept.proto.empty() ? how.scheme : kept.proto);
  const std::string_view host = kept.host.empty() ? head.host : kept.host;
  if (!host.empty()) out->ours(how.rules, "X-Forwarded-Host: ", host);
}

// Copied whoever sent them, unless Connection or a rule names them.
constexpr FieldNames kPassing{FieldName::cache_control, FieldName::content_encoding,
                              FieldName::content_type,  FieldName::cookie,
                              FieldName::set_cookie,    FieldName::x_accel_buffering,
                              FieldName::common};
constexpr FieldNames kReplaced{FieldName::host, FieldName::content_length, FieldName::x_request_id};

// Which fields of the client go out as they came.
class RequestFilter {
 public:
  RequestFilter(const RequestHead& head, const RequestRewrite& how)
      : how_(how), named_(head), passes_most_(!named_.has_any() && how.rules.empty()) {}

  bool passes(const Field& field, Forwarded* kept) const {
    if (passes_most_ && kPassing.has(field.id)) return true;
    return !is_hop_by_hop(field.id) && !kReplaced.has(field.id) && passes_others(field, kept);
  }

 private:
  bool passes_others(const Field& field, Forwarded* kept) const;

  const RequestRewrite& how_;
  NamedByConnection named_;
  bool passes_most_;
};

bool RequestFilter::passes_others(const Field& field, Forwarded* kept) const {
  switch (field.id) {
    case FieldName::x_forwarded_for:
      kept->has_for = how_.trusts_client;
      return false;
    case FieldName::x_forwarded_proto:
      if (how_.trusts_client) kept->proto = field.value;
      return false;
    case FieldName::x_forwarded_host:
      if (how_.trusts_client) kept->host = field.value;
      return false;
    case FieldName::forwarded:
      if (!how_.trusts_client) return false;
      break;
    default:
      break;
  }
  if (named_.has(field.name) || is_removed(how_.rules, field.name)) return false;
  return field.id != FieldName::other || !is_twin_of_ours(field.name);
}

void put_request_line(const RequestHead& head, LineWriter* out) {
  out->text(to_string(head.method)).literal(" ").text(head.target).literal(" HTTP/1.1\r\n");
}

// A client has one, as a rule.
void add_credential(const Field& field, std::string* credentials) {
  if (field.is_whole_line) {
    credentials->append(field.whole_line());
  } else {
    LineWriter(credentials).line(field);
  }
}

// The client's first line and fields; its credentials apart.
void copy_request(const RequestHead& head, const RequestRewrite& how, Forwarded* kept,
                  LineWriter* lines, std::string* credentials) {
  if (head.whole_line.empty()) put_request_line(head, lines);
  LineCopier copier(lines);
  if (!head.whole_line.empty()) copier.line(head.whole_line);
  const RequestFilter filter(head, how);
  for (const Field& field : head.fields.all()) {
    if (!filter.passes(field, kept)) continue;
    if (is_credential(field.id)) {
      add_credential(field, credentials);
    } else {
      copier.field(field);
    }
  }
}

void apply_request_rules(std::span<const HeaderRule> rules, LineWriter* lines,
                         RewrittenRequest* out) {
  for (const HeaderRule& rule : rules) {
    if (!adds(rule)) continue;
    const FieldName name = field_name(rule.name);
    if (name == FieldName::host) {
      out->host = rule.value;
    } else if (const Field field{rule.name, rule.value, name}; is_credential(name)) {
      add_credential(field, &out->credentials);
    } else {
      lines->line(field);
    }
  }
}

}  // namespace

void rewrite_request(const RequestHead& head, const RequestRewrite& how, RewrittenRequest* out) {
  out->clear();
  out->host = head.host;
  LineWriter lines(&out->lines);
  Forwarded kept;
  copy_request(head, how, &kept, &lines, &out->credentials);
  put_forwarding(head, how, kept, &lines);
  lines.ours(how.rules, "X-Request-Id: ", how.request_id);
  if (head.accepts_trailers) lines.literal("TE: trailers\r\n");
  if (how.adds_via) lines.ours(how.rules, "Via: ", via_of(head.minor_version));
  if (!how.upgrade.empty()) {
    lines.literal("Connection: Upgrade\r\n");
    lines.line("Upgrade: ", how.upgrade);
  }
  apply_request_rules(how.rules, &lines, out);
}

void finish_request(const RewrittenRequest& request, const BackendLines& backend, Method method,
                    Framing framing, std::string* out) {
  out->append(request.lines);
  LineWriter lines(out);
  // HTTP/1.1 needs a Host; a client of HTTP/1.0 may have sent none.
  const std::string_view host = !backend.host_header.empty() ? backend.host_header : request.host;
  lines.line("Host: ", host.empty() ? "localhost" : host);
  if (backend.api_key.empty()) {
    lines.text(request.credentials);
  } else {
    lines.line("Authorization: Bearer ", backend.api_key);
  }
  switch (framing.kind) {
    case BodyKind::none:
    case BodyKind::until_close:
      if (has_body_without_one(method)) lines.literal("Content-Length: 0\r\n");
      break;
    case BodyKind::length:
      lines.number("Content-Length: ", framing.length);
      break;
    case BodyKind::chunked:
      lines.literal("Transfer-Encoding: chunked\r\n");
      break;
  }
  lines.literal("\r\n");
}

}  // namespace weir::http
