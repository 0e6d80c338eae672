#include "lb/http/head_rules.h"

#include "lb/http/ascii.h"

namespace weir::http {
namespace {

constexpr size_t kMaxLengthDigits = 18;
constexpr size_t kMaxRequestIdBytes = 128;

// What the fields say about framing and the connection; both directions.
struct Facts {
  int lengths = 0;
  int codings = 0;
  int hosts = 0;
  int upgrades = 0;
  bool is_chunked = false;
  bool has_unknown_coding = false;
  bool length_too_large = false;
  uint64_t length = 0;
  bool says_close = false;
  bool says_keep_alive = false;
  bool says_upgrade = false;
  bool names_fields = false;
  std::string_view upgrade;
};

// The fields that heads are judged by; all others are passed over.
constexpr FieldNames kJudgedInRequests{FieldName::content_length,
                                       FieldName::transfer_encoding,
                                       FieldName::connection,
                                       FieldName::upgrade,
                                       FieldName::host,
                                       FieldName::expect,
                                       FieldName::te,
                                       FieldName::x_request_id};
constexpr FieldNames kJudgedInResponses{FieldName::content_length, FieldName::transfer_encoding,
                                        FieldName::connection,     FieldName::upgrade,
                                        FieldName::content_type,   FieldName::content_encoding};

Verdict read_length(std::string_view value, Facts* facts) {
  if (++facts->lengths > 1) return {"Content-Length was sent twice"};
  if (value.empty()) return {"Content-Length is not a plain number"};
  uint64_t length = 0;
  for (const char c : value) {
    if (!is_a(kDigitChar, c)) return {"Content-Length is not a plain number"};
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  facts->length_too_large = value.size() > kMaxLengthDigits;
  if (!facts->length_too_large) facts->length = length;
  return {};
}

Verdict read_coding(std::string_view value, Facts* facts) {
  if (++facts->codings > 1) return {"Transfer-Encoding was sent twice"};
  if (value.empty()) return {"Transfer-Encoding is empty"};
  facts->is_chunked = equals_lower(value, "chunked");
  if (facts->is_chunked) return {};
  if (!is_all(kTokenChar, value)) return {"Transfer-Encoding must be chunked and nothing else"};
  facts->has_unknown_coding = true;
  return {};
}

// A message must not have these taken out on the way, whoever asks for it.
bool may_not_be_hop_by_hop(FieldName name) {
  switch (name) {
    case FieldName::content_length:
    case FieldName::transfer_encoding:
    case FieldName::host:
    case FieldName::authorization:
    case FieldName::content_type:
    case FieldName::cookie:
    case FieldName::set_cookie:
      return true;
    default:
      return false;
  }
}

Verdict read_connection(std::string_view value, Facts* facts) {
  if (equals(value, "keep-alive")) {
    facts->says_keep_alive = true;
    return {};
  }
  while (!value.empty()) {
    const std::string_view option = take_element(&value);
    if (option.empty()) continue;
    if (!is_all(kTokenChar, option)) return {"Connection is not a list of names"};
    const FieldName name = field_name(option);
    if (may_not_be_hop_by_hop(name)) {
      return {"Connection names a field that belongs to the message"};
    }
    if (name == FieldName::upgrade) facts->says_upgrade = true;
    if (equals_lower(option, "close")) {
      facts->says_close = true;
    } else if (equals_lower(option, "keep-alive")) {
      facts->says_keep_alive = true;
    } else {
      facts->names_fields = true;
    }
  }
  return {};
}

// The fields that both directions have.
Verdict read_common(const Field& field, Facts* facts) {
  switch (field.id) {
    case FieldName::content_length:
      return read_length(field.value, facts);
    case FieldName::transfer_encoding:
      return read_coding(field.value, facts);
    case FieldName::connection:
      return read_connection(field.value, facts);
    case FieldName::upgrade:
      ++facts->upgrades;
      facts->upgrade = field.value;
      return {};
    default:
      return {};
  }
}

Verdict judge_framing(const Facts& facts, int minor_version) {
  if (facts.codings == 0) return {};
  if (minor_version == 0) return {"HTTP/1.0 has no Transfer-Encoding"};
  if (facts.lengths != 0) return {"Content-Length and Transfer-Encoding exclude each other"};
  return {};
}

bool lists(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    std::string_view element = take_element(&list);
    element = trim(element.substr(0, element.find(';')));
    if (equals_lower(element, wanted)) return true;
  }
  return false;
}

bool is_usable_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxRequestIdBytes) return false;
  for (const char c : id) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

Verdict read_request_field(const Field& field, Facts* facts, RequestHead* head) {
  switch (field.id) {
    case FieldName::host:
      if (++facts->hosts > 1) return {"Host was sent twice"};
      if (!is_valid_host(field.value)) return {"Host is not a host name with an optional port"};
      if (head->host.empty()) head->host = field.value;  // an absolute-form target wins
      return {};
    case FieldName::expect:
      if (!equals_lower(field.value, "100-continue")) {
        return {"the only supported expectation is 100-continue", ErrorKind::expectation_failed};
      }
      head->expects_continue = true;
      return {};
    case FieldName::te:
      if (lists(field.value, "trailers")) head->accepts_trailers = true;
      return {};
    case FieldName::x_request_id:
      if (is_usable_id(field.value) && head->request_id.empty()) head->request_id = field.value;
      return {};
    default:
      return read_common(field, facts);
  }
}

void read_media_type(std::string_view value, ResponseHead* head) {
  head->is_event_stream = false;
  head->is_json = equals(value, "application/json");  // what most of them are, and nothing else
  if (head->is_json) return;
  const std::string_view type = trim(value.substr(0, value.find(';')));
  head->is_event_stream = equals_lower(type, "text/event-stream");
  head->is_json = equals_lower(type, "application/json");
}

Verdict read_response_field(const Field& field, Facts* facts, ResponseHead* head) {
  switch (field.id) {
    case FieldName::content_type:
      read_media_type(field.value, head);
      return {};
    case FieldName::content_encoding:
      if (!field.value.empty() && !equals_lower(field.value, "identity")) head->is_encoded = true;
      return {};
    default:
      return read_common(field, facts);
  }
}

bool keeps_alive(const Facts& facts, int minor_version) {
  if (facts.says_close) return false;
  return minor_version == 1 || facts.says_keep_alive;
}

Verdict as_response(Verdict verdict) {
  if (!verdict.is_ok()) verdict.kind = ErrorKind::bad_response;
  return verdict;
}

Verdict judge_upgrade(const Facts& facts, bool asked_upgrade) {
  if (!asked_upgrade) return {"status 101 without having been asked for it"};
  if (facts.upgrades == 0 || !facts.says_upgrade) return {"status 101 without Upgrade"};
  return {};
}

}  // namespace

Verdict judge_request_fields(RequestHead* head) {
  Facts facts;
  for (const Field& field : head->fields.all()) {
    if (!kJudgedInRequests.has(field.id)) continue;
    const Verdict verdict = read_request_field(field, &facts, head);
    if (!verdict.is_ok()) return verdict;
  }
  const Verdict verdict = judge_framing(facts, head->minor_version);
  if (!verdict.is_ok()) return verdict;
  if (facts.has_unknown_coding) {
    return {"the only supported transfer coding is chunked", ErrorKind::coding_unsupported};
  }
  if (facts.length_too_large) {
    return {"Content-Length is larger than any body may be", ErrorKind::body_too_large};
  }
  if (facts.hosts == 0 && head->minor_version == 1) return {"Host is missing"};
  if (facts.is_chunked) {
    head->framing = {BodyKind::chunked, 0};
  } else if (facts.length > 0) {
    head->framing = {BodyKind::length, facts.length};
  }
  const bool has_body = head->framing.kind != BodyKind::none;
  head->keep_alive = keeps_alive(facts, head->minor_version);
  head->names_fields = facts.names_fields;
  // RFC 9110 10.1.1: an expectation of a 1.0 client is ignored; without a body there is nothing to
  // continue with.
  if (head->minor_version == 0 || !has_body) head->expects_continue = false;
  // h2c would let requests through that nobody here has read.
  const bool may_upgrade = facts.says_upgrade && facts.upgrades == 1 && head->minor_version == 1 &&
                           !has_body && head->method == Method::get && !lists(facts.upgrade, "h2c");
  if (may_upgrade) head->upgrade = facts.upgrade;
  return {};
}

Verdict judge_response_fields(Method request_method, bool asked_upgrade, ResponseHead* head) {
  Facts facts;
  for (const Field& field : head->fields.all()) {
    if (!kJudgedInResponses.has(field.id)) continue;
    const Verdict verdict = read_response_field(field, &facts, head);
    if (!verdict.is_ok()) return as_response(verdict);
  }
  const Verdict verdict = judge_framing(facts, head->minor_version);
  if (!verdict.is_ok()) return as_response(verdict);
  if (facts.has_unknown_coding) {
    return as_response({"the only supported transfer coding is chunked"});
  }
  if (facts.length_too_large) return as_response({"Content-Length is larger than any body may be"});
  if (head->status == 101) {
    const Verdict upgrade = judge_upgrade(facts, asked_upgrade);
    if (!upgrade.is_ok()) return as_response(upgrade);
  }
  head->keep_alive = keeps_alive(facts, head->minor_version);
  head->names_fields = facts.names_fields;
  const bool never_has_body = head->status < 200 || head->status == 204 || head->status == 304;
  if (request_method == Method::head || never_has_body) {
    // A body announced where none can be: what follows on this connection cannot be trusted.
    const bool announces = facts.is_chunked || facts.length > 0;
    if (announces && head->status < 300 && never_has_body) head->keep_alive = false;
  } else if (facts.is_chunked) {
    head->framing = {BodyKind::chunked, 0};
  } else if (facts.lengths == 1) {
    head->framing = {BodyKind::length, facts.length};
  } else {
    head->framing = {BodyKind::until_close, 0};
    head->keep_alive = false;
  }
  return {};
}

}  // namespace weir::http
