// Heads are rewritten, not passed through: hop-by-hop fields go (and those that Connection names),
// framing is written anew, ours are added. Pure functions over bytes; they append to strings whose
// capacity is reused.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lb/http/message_head.h"

namespace weir::http {

// Ignored for framing and hop-by-hop fields; Host and credentials of a request may be set and
// removed like others. As Caddy's --header-up / --header-down: "Field: v" sets, "+Field: v" adds,
// "-Field" removes ("-Field*" by prefix).
struct HeaderRule {
  enum class Kind : uint8_t { set, add, remove, remove_prefix };
  Kind kind;
  std::string name;
  std::string value;
};

struct RequestRewrite {
  std::string_view client_address = {};  // for X-Forwarded-For, without port
  std::string_view request_id = {};
  std::string_view scheme = "http";  // the client's, for X-Forwarded-Proto
  bool trusts_client = false;        // append to X-Forwarded-*; else replace
  bool adds_via = false;
  std::string_view upgrade =
      {};  // Connection: Upgrade and Upgrade with this protocol; empty = none
  std::span<const HeaderRule> rules = {};
};

// A request's head without what depends on the backend it is sent to.
struct RewrittenRequest {
  std::string lines;  // request line and fields; no Host, credentials, framing, final empty line
  std::string credentials;  // the client's Authorization, x-api-key, api-key as whole lines
  std::string host;         // the value
  void clear() {
    lines.clear();
    credentials.clear();
    host.clear();
  }
};
void rewrite_request(const RequestHead& head, const RequestRewrite& how, RewrittenRequest* out);

// Appends the final head. `api_key` not empty: "Authorization: Bearer KEY" in place of the client's
// credentials; `host_header` not empty: in place of the client's Host. A body of kind `none` gets
// "Content-Length: 0" for POST, PUT and PATCH.
struct BackendLines {
  std::string_view api_key = {};
  std::string_view host_header = {};
};
void finish_request(const RewrittenRequest& request, const BackendLines& backend, Method method,
                    Framing framing, std::string* out);

struct ResponseRewrite {
  std::string_view request_id = {};
  std::string_view backend = {};  // X-Weir-Backend; empty = leave out
  int attempts = 1;               // X-Weir-Attempts
  int client_minor_version = 1;
  bool client_keeps_alive = true;  // false: "Connection: close" is written
  Framing framing = {};            // how the body will be sent to this client
  bool passes_upgrade = false;     // 101
  bool passes_trailers = false;    // Trailer, which announces them
  bool adds_via = false;
  std::span<const HeaderRule> rules = {};
};
void rewrite_response(const ResponseHead& head, const ResponseRewrite& how, std::string* out);

}  // namespace weir::http
