#include "lb/proxy/local_answers.h"

#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

bool is_equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

std::string_view without_bearer(std::string_view value) {
  constexpr std::string_view kBearer = "bearer ";
  if (value.size() < kBearer.size()) return {};
  for (size_t i = 0; i < kBearer.size(); ++i) {
    const char c = value[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower != kBearer[i]) return {};
  }
  return value.substr(kBearer.size());
}

}  // namespace

bool is_local_path(const http::PathVerdict& verdict, http::PathMode mode) {
  return verdict.path_class == http::PathClass::health && mode == http::PathMode::inference;
}

LocalAnswer local_health(const ProxyContext& context) {
  if (context.balancer.ready() > 0 && !context.is_draining) return {};
  std::string body = "{\"status\":\"unavailable\",\"reason\":\"";
  body += context.is_draining ? "weir is shutting down" : context.balancer.describe_backends();
  return {503, body + "\"}\n"};
}

void append_local_answer(const LocalAnswer& answer, const RequestFacts& request, bool keeps_client,
                         std::string* out) {
  out->append(answer.status == 200 ? "HTTP/1.1 200 OK" : "HTTP/1.1 503 Service Unavailable");
  out->append("\r\nContent-Type: application/json\r\nContent-Length: ");
  out->append(std::to_string(answer.body.size())).append("\r\nX-Request-Id: ").append(request.id());
  if (!keeps_client) {
    out->append("\r\nConnection: close");
  } else if (request.client_minor_version == 0) {
    out->append("\r\nConnection: keep-alive");
  }
  out->append("\r\n\r\n");
  if (request.method != http::Method::head) out->append(answer.body);
}

bool has_key(const http::RequestHead& head, std::string_view key) {
  if (const auto value = head.fields.find("Authorization")) {
    if (is_equal_in_constant_time(without_bearer(*value), key)) return true;
  }
  for (const std::string_view name : {"x-api-key", "api-key"}) {
    const auto value = head.fields.find(name);
    if (value && is_equal_in_constant_time(*value, key)) return true;
  }
  return false;
}

}  // namespace weir
