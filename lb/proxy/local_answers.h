// What weir answers itself on the data port, and the key it may ask for. Pure but for a look at the
// balancer.
#pragma once

#include <string>
#include <string_view>

#include "lb/http/message_head.h"
#include "lb/http/path_policy.h"
#include "lb/proxy/request_facts.h"

namespace weir {

struct ProxyContext;

struct LocalAnswer {
  int status = 200;
  std::string body;  // JSON, or empty
};

// GET /health of the pool itself; where all paths are forwarded the backend's own answers.
bool is_local_path(const http::PathVerdict& verdict, http::PathMode mode);
LocalAnswer local_health(const ProxyContext& context);
void append_local_answer(const LocalAnswer& answer, const RequestFacts& request, bool keeps_client,
                         std::string* out);

// Authorization: Bearer KEY, x-api-key or api-key; compared in constant time.
bool has_key(const http::RequestHead& head, std::string_view key);

}  // namespace weir
