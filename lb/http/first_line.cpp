// First lines of heads: request line with all forms of targets, status line, and the authority in a
// target or Host.

#include <array>

#include "lb/http/ascii.h"
#include "lb/http/head_rules.h"
#include "lb/http/head_search.h"

namespace weir::http {
namespace {

constexpr size_t kMaxHostBytes = 255;

struct MethodRow {
  std::string_view name;
  Method method;
};
// TRACE is not among them: it would echo the client's credentials. CONNECT neither: this is no
// forward proxy.
constexpr std::array kMethods{
    MethodRow{"POST", Method::post},       MethodRow{"GET", Method::get},
    MethodRow{"HEAD", Method::head},       MethodRow{"PUT", Method::put},
    MethodRow{"DELETE", Method::del},      MethodRow{"PATCH", Method::patch},
    MethodRow{"OPTIONS", Method::options},
};

const Method* find_method(std::string_view name) {
  for (const MethodRow& row : kMethods) {
    if (row.name == name) return &row.method;
  }
  return nullptr;
}

bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_a(kDigitChar, text[5]) &&
         text[6] == '.' && is_a(kDigitChar, text[7]);
}

// 1 or 0 for HTTP/1.1 and HTTP/1.0, else -1.
int minor_version_of(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  return text == "HTTP/1.0" ? 0 : -1;
}

bool is_valid_port(std::string_view port) {
  if (port.empty()) return true;  // "host:" is in the grammar
  if (port.size() > 5 || !is_all(kDigitChar, port)) return false;
  unsigned value = 0;
  for (const char c : port) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= 65535;
}

bool is_valid_ip_literal(std::string_view inside) {
  bool has_colon = false;
  for (const char c : inside) {
    if (c == ':') {
      has_colon = true;
    } else if (c != '.' && !is_a(kHexChar, c)) {
      return false;
    }
  }
  return has_colon;
}

void split_path(RequestHead* head) {
  head->path = head->target.substr(0, head->target.find('?'));
}

Verdict read_absolute_form(std::string_view rest, RequestHead* head, std::string* scratch) {
  const size_t end = rest.find_first_of("/?");
  head->host = rest.substr(0, end);
  if (head->host.find('@') != rest.npos) {
    return {"a request target must not carry user information"};
  }
  if (!is_valid_host(head->host)) return {"the host in the request target is not valid"};
  if (end == rest.npos) {
    head->target = head->method == Method::options ? "*" : "/";
  } else if (rest[end] == '/') {
    head->target = rest.substr(end);
  } else {
    scratch->assign("/").append(rest.substr(end));
    head->target = *scratch;
  }
  split_path(head);
  return {};
}

template <size_t N>
bool starts_with(const char* at, const char* end, const char (&text)[N]) {
  return static_cast<size_t>(end - at) >= N - 1 && std::memcmp(at, text, N - 1) == 0;
}

const char* find_target_end(const char* at, const char* end) {
  while (at < end && is_a(kTargetChar, *at)) ++at;
  return at;
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

const char* read_usual_request_line(const char* at, const char* end, size_t target_bytes,
                                    RequestHead* head) {
  const char* target = at;
  if (starts_with(at, end, "POST /")) {
    head->method = Method::post;
    target += 5;
  } else if (starts_with(at, end, "GET /")) {
    head->method = Method::get;
    target += 4;
  } else {
    return nullptr;
  }
  const char* const path_end = find_path_end(target, end);
  const char* const target_end =
      path_end < end && *path_end == '?' ? find_target_end(path_end, end) : path_end;
  constexpr char kRest[] = " HTTP/1.1\r\n";
  if (!starts_with(target_end, end, kRest)) return nullptr;
  head->target = between(target, target_end);
  head->path = between(target, path_end);
  if (head->target.size() > target_bytes) return nullptr;
  head->minor_version = 1;
  const char* const next = target_end + sizeof kRest - 1;
  head->whole_line = between(at, next);
  return next;
}

const char* read_usual_status_line(const char* at, const char* end, ResponseHead* head) {
  constexpr char kVersion[] = "HTTP/1.1 ";
  constexpr size_t kBegin = sizeof kVersion - 1;
  if (end - at < 16 || !starts_with(at, end, kVersion)) return nullptr;
  const char* const digits = at + kBegin;
  if (!is_all(kDigitChar, {digits, 3}) || digits[3] != ' ') return nullptr;
  head->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  if (head->status < 100 || head->status > 599) return nullptr;
  const char* const reason = digits + 4;
  const char* const reason_end = find_unusual(reason, end);
  if (!starts_with(reason_end, end, "\r\n")) return nullptr;
  head->reason = between(reason, reason_end);
  head->minor_version = 1;
  head->whole_line = between(at, reason_end + 2);
  return reason_end + 2;
}

Verdict read_request_line(std::string_view line, RequestLine* parts, RequestHead* head) {
  const size_t first = line.find(' ');
  const size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos) return {"the request line must be METHOD TARGET HTTP/1.1"};
  parts->method = line.substr(0, first);
  parts->target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (version.find(' ') != version.npos || parts->target.empty()) {
    return {"the request line has blanks too many"};
  }
  if (!is_all(kTokenChar, parts->method)) return {"the method is not a token"};
  if (!is_version(version)) return {"the request line does not end with an HTTP version"};
  head->minor_version = minor_version_of(version);
  if (head->minor_version < 0) {
    return {"only HTTP/1.0 and HTTP/1.1 are supported", ErrorKind::version_unsupported};
  }
  const Method* method = find_method(parts->method);
  if (method == nullptr) return {"this method is not supported", ErrorKind::method_unsupported};
  head->method = *method;
  return {};
}

Verdict read_target(std::string_view target, RequestHead* head, std::string* scratch) {
  head->host = {};
  for (const char c : target) {
    if (!is_a(kTargetChar, c)) return {"the request target has a character that must be escaped"};
  }
  if (target.front() == '/') {
    head->target = target;
    split_path(head);
    return {};
  }
  if (target == "*") {
    if (head->method != Method::options) return {"the target * belongs to OPTIONS"};
    head->target = head->path = target;
    return {};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_lower(target.substr(0, scheme.size()), scheme)) {
      return read_absolute_form(target.substr(scheme.size()), head, scratch);
    }
  }
  return {"the request target must begin with / or http://"};
}

Verdict read_status_line(std::string_view line, ResponseHead* head) {
  constexpr ErrorKind kBad = ErrorKind::bad_response;
  head->minor_version = minor_version_of(line.substr(0, 8));
  if (head->minor_version < 0) return {"the response is not HTTP/1.0 or HTTP/1.1", kBad};
  if (line.size() < 12 || line[8] != ' ' || !is_all(kDigitChar, line.substr(9, 3)) ||
      (line.size() > 12 && line[12] != ' ')) {
    return {"the status line must be HTTP/1.1 STATUS REASON", kBad};
  }
  head->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head->status < 100 || head->status > 599) return {"no status from 100 to 599", kBad};
  head->reason = line.size() > 13 ? line.substr(13) : std::string_view();
  return {};
}

bool is_valid_host(std::string_view host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  if (host.front() == '[') {
    const size_t end = host.find(']');
    if (end == host.npos || !is_valid_ip_literal(host.substr(1, end - 1))) return false;
    const std::string_view rest = host.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_valid_port(rest.substr(1)));
  }
  size_t length = 0;
  while (length < host.size() && is_a(kHostChar, host[length])) ++length;
  if (length == 0) return false;
  if (length == host.size()) return true;
  host.remove_prefix(length);
  if (host.front() != ':') return false;
  host.remove_prefix(1);
  return is_valid_port(host);
}

}  // namespace weir::http
