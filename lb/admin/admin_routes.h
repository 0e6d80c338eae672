// What the admin side answers: a path and what there is to see, to a status and a body. Pure but
// for the process's own figures in /metrics. Loop thread only.
#pragma once

#include <string>
#include <string_view>

#include "lb/admin/live_view.h"
#include "lb/observe/metrics.h"

namespace weir {

struct AdminAnswer {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
};

// GET of `path` (without a query): /, /livez, /readyz, /metrics, /api/v1/status; anything else is a
// 404 that lists them.
AdminAnswer answer_admin(std::string_view path, const LiveView& view, const Metrics& metrics);

struct AdminRequest {
  std::string_view method;
  std::string_view host;    // the Host field; empty = there was none
  std::string_view origin;  // the Origin field; empty = there was none
  bool has_body = false;
};

// Why a request is refused before its path is looked at, or status 200. A page of another site must
// not read the admin side through somebody's browser: Host must be an address, localhost or
// `own_host`, and an Origin must be the Host's.
AdminAnswer admit_admin(const AdminRequest& request, bool is_unix, std::string_view own_host);

}  // namespace weir
