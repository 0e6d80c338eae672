// POST /api/v1/backends/B/drain and undrain. Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lb/admin/admin_access.h"
#include "lb/admin/admin_actions.h"
#include "lb/admin/live_view.h"

namespace weir {

struct BackendAction {
  std::string backend;  // percent-decoded; empty = not to be decoded
  bool is_drain = false;
};

// nullopt: `path` is of another kind.
std::optional<BackendAction> parse_backend_action(std::string_view path);
// The path that asks for it.
std::string backend_action_path(const BackendAction& action);

// What became of it: the backend's state behind the action, or why there was none.
AdminAnswer answer_action(const BackendAction& action, const AdminRequest& request,
                          AdminActions& actions, const LiveView& view);

}  // namespace weir
