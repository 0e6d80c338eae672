// Our own rules for heads, above what the grammar of llhttp asks (docs/http-rules.md). Each returns
// the rule that was broken, or an all-right Verdict. Pure; part of HeadParser, not for others.
#pragma once

#include <string>
#include <string_view>

#include "weir/error.h"

#include "lb/http/message_head.h"

namespace weir::http {

// What a head fails for: a kind, and a text for the client that says what was wrong; `why` empty =
// all right.
struct Verdict {
  std::string_view why;
  ErrorKind kind = ErrorKind::bad_request;
  bool is_ok() const { return why.empty(); }
};

struct RequestLine {
  std::string_view method;
  std::string_view target;
};
// Exactly METHOD SP TARGET SP HTTP/1.x. Sets head->method and minor_version.
Verdict read_request_line(std::string_view line, RequestLine* parts, RequestHead* head);

// Sets target, path and, from an absolute-form, host. `scratch` holds a target that has to be made
// up.
Verdict read_target(std::string_view target, RequestHead* head, std::string* scratch);

// What most first lines are: POST or GET of an origin-form target with HTTP/1.1, and HTTP/1.1 with
// a status and a reason of visible ASCII. At the front of [at, end): the byte behind the line.
// nullptr = not that usual, too long or not all here; what was set means nothing then.
const char* read_usual_request_line(const char* at, const char* end, size_t target_bytes,
                                    RequestHead* head);
const char* read_usual_status_line(const char* at, const char* end, ResponseHead* head);

// Exactly HTTP/1.x SP 3DIGIT [SP reason].
Verdict read_status_line(std::string_view line, ResponseHead* head);

// uri-host [":" port] without userinfo, and not empty.
bool is_valid_host(std::string_view host);

// Once the fields are in the list.
Verdict judge_request_fields(RequestHead* head);
Verdict judge_response_fields(Method request_method, bool asked_upgrade, ResponseHead* head);

}  // namespace weir::http
