#include "lb/admin/backend_action.h"

#include "weir/json_string.h"

namespace weir {
namespace {

constexpr std::string_view kPrefix = "/api/v1/backends/";
constexpr std::string_view kDrain = "/drain";
constexpr std::string_view kUndrain = "/undrain";
constexpr size_t kMostNames = 64;  // in an answer

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Empty when there is half an escape, or one that no name has.
std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    const int byte = high * 16 + low;
    if (high < 0 || low < 0 || byte < 0x20 || byte == 0x7f) return {};
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

AdminAnswer no_such_backend(const BackendAction& action, const AdminRequest& request,
                            const LiveView& view) {
  std::string names;
  size_t count = 0;
  for (const PoolView& pool : view.look().pools) {
    for (const BackendView& backend : pool.backends) {
      if (++count > kMostNames) continue;
      names += (names.empty() ? "" : ", ") + backend.id;
    }
  }
  if (count > kMostNames) names += " and " + std::to_string(count - kMostNames) + " more";
  return refusal(request.path, 404, "no_such_backend",
                 "no backend is called \"" + action.backend.substr(0, 128) + "\"",
                 names.empty() ? "there is none at all" : "there are " + names);
}

AdminAnswer state_of(const BackendAction& action, const LiveView& view) {
  AdminAnswer answer;
  answer.content_type = "application/json";
  for (const PoolView& pool : view.look().pools) {
    for (const BackendView& backend : pool.backends) {
      if (backend.id != action.backend) continue;
      std::string& out = answer.body;
      out = "{\"backend\":";
      append_json_string(out, backend.id);
      out += ",\"pool\":";
      append_json_string(out, pool.name);
      out += ",\"state\":";
      append_json_string(out, to_string(backend.state));
      out += ",\"reason\":";
      append_json_string(out, backend.reason);
      out += ",\"outstanding\":" + std::to_string(backend.outstanding) + "}\n";
      return answer;
    }
  }
  answer.body = "{}\n";  // its last exchange ended, and the list had it no more
  return answer;
}

}  // namespace

std::optional<BackendAction> parse_backend_action(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = path.substr(kPrefix.size());
  BackendAction action;
  action.is_drain = rest.ends_with(kDrain);
  if (!action.is_drain && !rest.ends_with(kUndrain)) return std::nullopt;
  rest.remove_suffix(action.is_drain ? kDrain.size() : kUndrain.size());
  if (rest.empty() || rest.find('/') != std::string_view::npos) return std::nullopt;
  action.backend = decoded(rest);
  return action;
}

std::string backend_action_path(const BackendAction& action) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out(kPrefix);
  for (const char c : action.backend) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    out += is_plain ? std::string(1, c) : std::string("%") + kHex[byte >> 4] + kHex[byte & 15];
  }
  return out + std::string(action.is_drain ? kDrain : kUndrain);
}

AdminAnswer answer_action(const BackendAction& action, const AdminRequest& request,
                          AdminActions& actions, const LiveView& view) {
  if (request.method != "POST") {
    AdminAnswer answer = refusal(request.path, 405, "method_not_allowed",
                                 "this changes something and is asked for by POST");
    answer.allow = "POST";
    return answer;
  }
  if (action.backend.empty()) {
    return refusal(request.path, 400, "bad_name",
                   "the name of the backend is not percent-encoded text");
  }
  if (!actions.set_draining(action.backend, action.is_drain)) {
    return no_such_backend(action, request, view);
  }
  return state_of(action, view);
}

}  // namespace weir
