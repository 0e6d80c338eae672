#include "lb/http/head_parser.h"

#include <algorithm>
#include <string>

#include <llhttp.h>

#include "weir/assert.h"

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"
#include "lb/http/field_lines.h"
#include "lb/http/head_rules.h"

namespace weir::http {
namespace {

// Collects the fields of one head as llhttp finds them; they must be the lines that we see
// ourselves.
struct Collector {
  FieldList* fields = nullptr;
  size_t limit = 0;
  const char* next_line = nullptr;
  const char* end = nullptr;
  std::string_view name;
  std::string_view value;
  Verdict verdict;

  void extend(std::string_view* part, const char* at, size_t length) {
    *part = part->empty() ? std::string_view(at, length)
                          : std::string_view(part->data(), part->size() + length);
  }
  // A field is one line: it begins where the line before ended, and nothing but blanks stands
  // behind its value.
  int commit() {
    if (name.empty()) return fail({"a field has no name"});
    const char* at = value.empty() ? name.data() + name.size() + 1 : value.data() + value.size();
    while (at < end && is_blank(*at)) ++at;
    if (name.data() != next_line || end - at < 2 || at[0] != '\r' || at[1] != '\n') {
      return fail({"a field that is not one line"});
    }
    next_line = at + 2;
    if (fields->all().size() >= limit || !fields->add({name, trim(value), field_name(name)})) {
      return fail({"too many header fields", ErrorKind::head_too_large});
    }
    name = {};
    value = {};
    return 0;
  }
  int fail(Verdict why) {
    verdict = why;
    return HPE_USER;
  }
};

Collector* collector_of(llhttp_t* parser) {
  return static_cast<Collector*>(parser->data);
}

int on_field(llhttp_t* parser, const char* at, size_t length) {
  Collector* collector = collector_of(parser);
  collector->extend(&collector->name, at, length);
  return 0;
}

int on_value(llhttp_t* parser, const char* at, size_t length) {
  Collector* collector = collector_of(parser);
  collector->extend(&collector->value, at, length);
  return 0;
}

int on_value_complete(llhttp_t* parser) {
  return collector_of(parser)->commit();
}

// Stops before any body: bodies are BodyReader's.
int on_head_complete(llhttp_t*) {
  return HPE_PAUSED;
}

llhttp_settings_t make_settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_header_field = on_field;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_head_complete;
  return settings;
}

const llhttp_settings_t& settings() {
  static const llhttp_settings_t kSettings = make_settings();
  return kSettings;
}

void clear(RequestHead* request) {
  request->fields.clear();
  request->framing = {};
  request->expects_continue = request->accepts_trailers = false;
  request->whole_line = request->host = request->upgrade = request->request_id = {};
}

void clear(ResponseHead* response) {
  response->fields.clear();
  response->whole_line = {};
  response->framing = {};
  response->is_event_stream = response->is_json = response->is_encoded = false;
}

std::string_view first_line(std::string_view head) {
  return head.substr(0, head.find("\r\n"));
}

// The same of [at, end) when it has an end; else empty.
std::string_view first_line_of(const char* at, const char* end) {
  const std::string_view all(at, static_cast<size_t>(end - at));
  const size_t cr = all.find('\r');
  return cr < all.size() - 1 && all[cr + 1] == '\n' ? all.substr(0, cr) : std::string_view();
}

}  // namespace

struct HeadParser::Impl {
  llhttp_t parser{};
  std::string scratch;
  std::string_view why;
  RequestHead request;
  ResponseHead response;

  Way way = Way::quick;

  Verdict read_request(std::string_view head, const HeadLimits& limits);
  Verdict read_response(std::string_view head, Method request_method, bool asked_upgrade,
                        const HeadLimits& limits);
  Verdict read_first(std::string_view line, const HeadLimits& limits);
  const char* take_first(const char* at, const char* end, const HeadLimits& limits);
  const char* take_status(const char* at, const char* end);
  Verdict collect(llhttp_type_t type, std::string_view head, size_t limit, FieldList* fields);
};

Verdict HeadParser::Impl::collect(llhttp_type_t type, std::string_view head, size_t limit,
                                  FieldList* fields) {
  Collector collector;
  collector.fields = fields;
  collector.limit = limit;
  collector.next_line = head.data() + std::min(head.find("\r\n"), head.size() - 2) + 2;
  collector.end = head.data() + head.size();
  llhttp_init(&parser, type, &settings());
  parser.data = &collector;
  const llhttp_errno_t result = llhttp_execute(&parser, head.data(), head.size());
  if (!collector.verdict.is_ok()) return collector.verdict;
  if (result == HPE_INVALID_CONTENT_LENGTH &&
      std::string_view(llhttp_get_error_reason(&parser)) == "Content-Length overflow") {
    return {"Content-Length is larger than any body may be", ErrorKind::body_too_large};
  }
  if (result != HPE_PAUSED) {
    const char* reason = llhttp_get_error_reason(&parser);  // a literal of llhttp
    return {reason != nullptr && *reason != '\0' ? reason : "not a complete HTTP head"};
  }
  if (collector.next_line + 2 != collector.end) return {"a line that is no field"};
  return {};
}

// The request line.
Verdict HeadParser::Impl::read_first(std::string_view first, const HeadLimits& limits) {
  clear(&request);
  RequestLine line;
  const Verdict verdict = read_request_line(first, &line, &request);
  if (!verdict.is_ok()) return verdict;
  if (line.target.size() > limits.target_bytes) {
    return {"the request target is too long", ErrorKind::target_too_long};
  }
  return read_target(line.target, &request, &scratch);
}

Verdict HeadParser::Impl::read_request(std::string_view head, const HeadLimits& limits) {
  Verdict verdict = read_first(first_line(head), limits);
  if (verdict.is_ok()) verdict = collect(HTTP_REQUEST, head, limits.fields, &request.fields);
  return verdict.is_ok() ? judge_request_fields(&request) : verdict;
}

Verdict HeadParser::Impl::read_response(std::string_view head, Method request_method,
                                        bool asked_upgrade, const HeadLimits& limits) {
  clear(&response);
  Verdict verdict = read_status_line(first_line(head), &response);
  if (verdict.is_ok()) verdict = collect(HTTP_RESPONSE, head, limits.fields, &response.fields);
  return verdict.is_ok() ? judge_response_fields(request_method, asked_upgrade, &response)
                         : verdict;
}

HeadParser::HeadParser(Way way) : impl_(std::make_unique<Impl>()) {
  impl_->way = way;
}
HeadParser::~HeadParser() = default;

// The request line at the front of [at, end), when it and its target are plain; the byte behind it.
const char* HeadParser::Impl::take_first(const char* at, const char* end,
                                         const HeadLimits& limits) {
  clear(&request);
  if (const char* next = read_usual_request_line(at, end, limits.target_bytes, &request)) {
    return next;
  }
  const std::string_view line = first_line_of(at, end);
  const bool is_right = !line.empty() && read_first(line, limits).is_ok();
  if (!is_right || request.target.front() != '/' || !request.host.empty()) return nullptr;
  return line.data() + line.size() + 2;
}

const char* HeadParser::Impl::take_status(const char* at, const char* end) {
  clear(&response);
  const char* next = read_usual_status_line(at, end, &response);
  if (next == nullptr) {
    const std::string_view line = first_line_of(at, end);
    if (line.empty() || !read_status_line(line, &response).is_ok()) return nullptr;
    next = line.data() + line.size();
    if (find_control(line.data(), next) != next) return nullptr;
    next += 2;
  }
  return response.status == 101 ? nullptr : next;
}

const RequestHead* HeadParser::take_request(std::string_view bytes, const HeadLimits& limits,
                                            size_t* length) {
  if (impl_->way == Way::thorough) return nullptr;
  const char* const begin = bytes.data();
  const char* const end = begin + std::min(bytes.size(), limits.head_bytes);
  RequestHead& request = impl_->request;
  const char* at = impl_->take_first(begin, end, limits);
  if (at != nullptr) at = read_field_lines(at, end, limits.fields, &request.fields);
  if (at == nullptr || !judge_request_fields(&request).is_ok()) return nullptr;
  impl_->why = {};
  *length = static_cast<size_t>(at - begin);
  return &request;
}

const ResponseHead* HeadParser::take_response(std::string_view bytes, Method request_method,
                                              const HeadLimits& limits, size_t* length) {
  if (impl_->way == Way::thorough) return nullptr;
  const char* const begin = bytes.data();
  const char* const end = begin + std::min(bytes.size(), limits.head_bytes);
  ResponseHead& response = impl_->response;
  const char* at = impl_->take_status(begin, end);
  if (at != nullptr) at = read_field_lines(at, end, limits.fields, &response.fields);
  if (at == nullptr || !judge_response_fields(request_method, false, &response).is_ok()) {
    return nullptr;
  }
  impl_->why = {};
  *length = static_cast<size_t>(at - begin);
  return &response;
}

// What the quick way turns down for whatever reason is judged by the thorough one.
Result<const RequestHead*> HeadParser::parse_request(std::string_view head,
                                                     const HeadLimits& limits) {
  size_t length = 0;
  const RequestHead* quick = take_request(head, limits, &length);
  if (quick != nullptr && length == head.size()) return quick;
  const Verdict verdict = impl_->read_request(head, limits);
  impl_->why = verdict.why;
  if (!verdict.is_ok()) return Error{verdict.kind};
  return &impl_->request;
}

Result<const ResponseHead*> HeadParser::parse_response(std::string_view head, Method request_method,
                                                       bool asked_upgrade,
                                                       const HeadLimits& limits) {
  size_t length = 0;
  const ResponseHead* quick = take_response(head, request_method, limits, &length);
  if (quick != nullptr && length == head.size()) return quick;
  const Verdict verdict = impl_->read_response(head, request_method, asked_upgrade, limits);
  impl_->why = verdict.why;
  if (!verdict.is_ok()) return Error{ErrorKind::bad_response};
  return &impl_->response;
}

std::string_view HeadParser::why() const {
  return impl_->why;
}

}  // namespace weir::http
