#include "lb/admin/admin_access.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace weir {
namespace {

// "host:port", "[::1]:port", "host" → the host alone.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_address(std::string_view host) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_foreign(std::string_view origin, std::string_view host) {
  if (origin.empty()) return false;
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos || origin.substr(scheme + 3) != host;
}

// In a time that does not tell how much of it is right.
bool has_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kBearer = "bearer ";
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const bool is_bearer =
      authorization.size() >= kBearer.size() &&
      std::ranges::equal(authorization.substr(0, kBearer.size()), kBearer, {}, lower);
  if (!is_bearer || token.empty()) return false;
  const std::string_view given = authorization.substr(kBearer.size());
  if (given.size() != token.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < token.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(token[i]);
  }
  return difference == 0;
}

AdminAnswer admit_change(const AdminRequest& request, const AdminGate& gate) {
  if (gate.is_unix) {
    if (request.is_own_user) return {};
    return refusal(request.path, 403, "not_your_instance",
                   "only the user whose weir this is may change it");
  }
  if (has_token(request.authorization, gate.token)) return {};
  AdminAnswer answer = refusal(
      request.path, 401, "token_missing_or_wrong", "the admin token is missing or wrong",
      "send Authorization: Bearer TOKEN; it is admin.token, or was printed when weir started");
  answer.asks_for_token = true;
  return answer;
}

}  // namespace

AdminAnswer admit_admin(const AdminRequest& request, const AdminGate& gate) {
  const std::string_view host = host_of(request.host);
  const bool is_known =
      host == "localhost" || is_address(host) || (!gate.own_host.empty() && host == gate.own_host);
  if (!gate.is_unix && !is_known) {
    return refusal(request.path, 403, "unknown_host",
                   "this Host is not one of the admin side; use its address or localhost");
  }
  if (is_foreign(request.origin, request.host)) {
    return refusal(request.path, 403, "foreign_origin",
                   "requests of other sites' pages are refused");
  }
  const bool is_change = request.method == "POST";
  if (!is_change && request.method != "GET" && request.method != "HEAD") {
    AdminAnswer answer =
        refusal(request.path, 405, "method_not_allowed", "only GET and POST are supported");
    answer.allow = "GET, HEAD, POST";
    return answer;
  }
  if (request.has_body) {
    return refusal(request.path, 413, "body_not_expected", "no body is expected");
  }
  return is_change ? admit_change(request, gate) : AdminAnswer{};
}

}  // namespace weir
