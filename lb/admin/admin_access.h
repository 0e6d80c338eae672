// Who may ask what of the admin side, decided before the path is looked at. Pure; any thread.
#pragma once

#include <string_view>

#include "lb/admin/admin_answer.h"

namespace weir {

struct AdminRequest {
  std::string_view method;
  std::string_view path;           // without the query, as it was sent
  std::string_view host;           // the Host field; empty = there was none
  std::string_view origin;         // the Origin field; empty = there was none
  std::string_view authorization;  // the Authorization field; empty = there was none
  bool has_body = false;
  bool is_own_user = false;  // a unix socket's peer is this process's user, or root
};

struct AdminGate {
  bool is_unix = false;
  std::string_view own_host;  // as it was configured
  std::string_view token;     // asked of a POST over TCP; empty = there are none
};

// Why a request is refused, or status 200. A page of another site must not read the admin side
// through somebody's browser: Host must be an address, localhost or `own_host`, and an Origin must
// be the Host's. Who changes something is this user on the unix socket, or has the token.
AdminAnswer admit_admin(const AdminRequest& request, const AdminGate& gate);

}  // namespace weir
