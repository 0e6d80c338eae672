#include "lb/http/head_rewriter.h"

#include <array>
#include <charconv>

#include "lb/http/ascii.h"

namespace weir::http {
namespace {

constexpr size_t kMaxNamed = 16;

// The fields that Connection names, to be dropped with it. Of more than kMaxNamed only those that a
// scan finds: it falls back to reading the Connection fields again.
class NamedByConnection {
 public:
  explicit NamedByConnection(const FieldList& fields) : fields_(fields) {
    for (const Field& field : fields.all()) {
      if (field.id == FieldName::connection) add(field.value);
    }
  }

  bool has(std::string_view name) const {
    for (size_t i = 0; i < count_; ++i) {
      if (equals_without_case(names_[i], name)) return true;
    }
    return is_full_ && is_named_somewhere(name);
  }

 private:
  void add(std::string_view list) {
    while (!list.empty()) {
      const std::string_view option = take_element(&list);
      if (option.empty() || equals_lower(option, "close") || equals_lower(option, "keep-alive")) {
        continue;
      }
      if (count_ == kMaxNamed) {
        is_full_ = true;
        return;
      }
      names_[count_++] = option;
    }
  }
  bool is_named_somewhere(std::string_view name) const {
    for (const Field& field : fields_.all()) {
      if (field.id != FieldName::connection) continue;
      std::string_view list = field.value;
      while (!list.empty()) {
        if (equals_without_case(take_element(&list), name)) return true;
      }
    }
    return false;
  }

  const FieldList& fields_;
  std::array<std::string_view, kMaxNamed> names_;
  size_t count_ = 0;
  bool is_full_ = false;
};

// Rules may not touch what makes a message one message.
bool is_out_of_rules(FieldName name) {
  return is_hop_by_hop(name) || name == FieldName::content_length;
}

bool is_removed_by(const HeaderRule& rule, std::string_view name) {
  switch (rule.kind) {
    case HeaderRule::Kind::add:
      return false;
    case HeaderRule::Kind::set:
    case HeaderRule::Kind::remove:
      return equals_without_case(rule.name, name);
    case HeaderRule::Kind::remove_prefix:
      return name.size() >= rule.name.size() &&
             equals_without_case(name.substr(0, rule.name.size()), rule.name);
  }
  return false;
}

bool is_removed(std::span<const HeaderRule> rules, std::string_view name) {
  for (const HeaderRule& rule : rules) {
    if (is_removed_by(rule, name)) return true;
  }
  return false;
}

void put(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append("\r\n");
}

// Unless a rule takes the field out.
void put_ours(std::span<const HeaderRule> rules, std::string_view name, std::string_view value,
              std::string* out) {
  if (!is_removed(rules, name)) put(name, value, out);
}

void put_number(std::string_view name, uint64_t value, std::string* out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  put(name, {digits.data(), static_cast<size_t>(end - digits.data())}, out);
}

bool is_clean(const HeaderRule& rule) {
  for (const char c : rule.value) {
    if (!is_a(kTextChar, c)) return false;
  }
  return is_all(kTokenChar, rule.name);
}

bool adds(const HeaderRule& rule) {
  const bool is_adding = rule.kind == HeaderRule::Kind::set || rule.kind == HeaderRule::Kind::add;
  return is_adding && is_clean(rule) && !is_out_of_rules(field_name(rule.name));
}

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
                       std::string* out) {
  if (is_removed(how.rules, "X-Forwarded-For")) return;
  if (!has_for && how.client_address.empty()) return;
  out->append("X-Forwarded-For: ");
  std::string_view comma;
  if (has_for) {
    for (const Field& field : head.fields.all()) {
      if (field.id != FieldName::x_forwarded_for || field.value.empty()) continue;
      out->append(comma).append(field.value);
      comma = ", ";
    }
  }
  if (!how.client_address.empty()) out->append(comma).append(how.client_address);
  out->append("\r\n");
}

void put_forwarding(const RequestHead& head, const RequestRewrite& how, const Forwarded& kept,
                    std::string* out) {
  put_forwarded_for(head, how, kept.has_for, out);
  put_ours(how.rules, "X-Forwarded-Proto", kept.proto.empty() ? how.scheme : kept.proto, out);
  const std::string_view host = kept.host.empty() ? head.host : kept.host;
  if (!host.empty()) put_ours(how.rules, "X-Forwarded-Host", host, out);
}

// One field of the client into lines or credentials, or nowhere.
void copy_request_field(const Field& field, const RequestRewrite& how,
                        const NamedByConnection& named, Forwarded* kept, RewrittenRequest* out) {
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
  put(field.name, field.value, is_credential(field.id) ? &out->credentials : &out->lines);
}

void apply_request_rules(std::span<const HeaderRule> rules, RewrittenRequest* out) {
  for (const HeaderRule& rule : rules) {
    if (!adds(rule)) continue;
    const FieldName name = field_name(rule.name);
    if (name == FieldName::host) {
      out->host = rule.value;
    } else {
      put(rule.name, rule.value, is_credential(name) ? &out->credentials : &out->lines);
    }
  }
}

}  // namespace

void rewrite_request(const RequestHead& head, const RequestRewrite& how, RewrittenRequest* out) {
  out->clear();
  out->host = head.host;
  out->lines.append(to_string(head.method)).append(" ").append(head.target);
  out->lines.append(" HTTP/1.1\r\n");
  const NamedByConnection named(head.fields);
  Forwarded kept;
  for (const Field& field : head.fields.all()) {
    copy_request_field(field, how, named, &kept, out);
  }
  put_forwarding(head, how, kept, &out->lines);
  put_ours(how.rules, "X-Request-Id", how.request_id, &out->lines);
  if (head.accepts_trailers) put("TE", "trailers", &out->lines);
  if (how.passes_upgrade && !head.upgrade.empty()) {
    put("Connection", "Upgrade", &out->lines);
    put("Upgrade", head.upgrade, &out->lines);
  }
  apply_request_rules(how.rules, out);
}

void finish_request(const RewrittenRequest& request, const BackendLines& backend, Method method,
                    Framing framing, std::string* out) {
  out->append(request.lines);
  // HTTP/1.1 needs a Host; a client of HTTP/1.0 may have sent none.
  const std::string_view host = !backend.host_header.empty() ? backend.host_header : request.host;
  put("Host", host.empty() ? "localhost" : host, out);
  if (backend.api_key.empty()) {
    out->append(request.credentials);
  } else {
    out->append("Authorization: Bearer ").append(backend.api_key).append("\r\n");
  }
  switch (framing.kind) {
    case BodyKind::none:
    case BodyKind::until_close:
      if (has_body_without_one(method)) put("Content-Length", "0", out);
      break;
    case BodyKind::length:
      put_number("Content-Length", framing.length, out);
      break;
    case BodyKind::chunked:
      put("Transfer-Encoding", "chunked", out);
      break;
  }
  out->append("\r\n");
}

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
