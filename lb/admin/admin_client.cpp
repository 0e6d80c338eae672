#include "lb/admin/admin_client.h"

#include <charconv>
#include <chrono>

#include "lb/net/blocking_request.h"

namespace weir {
namespace {

Problem not_reached(const Address& address, std::string_view why) {
  return Problem{"cannot reach weir at " + to_string(address) + ": " + std::string(why),
                 "check that it runs"};
}

// weir's admin side always sends Content-Length and closes.
Result<AdminReply, Problem> parse_reply(const Address& address, const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  const bool is_http = answer.starts_with("HTTP/1.") && answer.size() >= 12;
  if (!is_http || end == std::string::npos)
    return not_reached(address, "what answers there is not weir");
  AdminReply reply;
  std::from_chars(answer.data() + 9, answer.data() + 12, reply.status);
  const size_t field = answer.find("\r\nContent-Length: ");
  size_t length = 0;
  if (field < end) std::from_chars(answer.data() + field + 18, answer.data() + end, length);
  reply.body = answer.substr(end + 4);
  if (reply.body.size() != length) return not_reached(address, "the answer broke off");
  return reply;
}

// `line` is "GET /path".
Result<AdminReply, Problem> ask(const Address& address, const std::string& line,
                                const std::string& fields, Duration timeout) {
  const TimePoint until = std::chrono::steady_clock::now() + timeout;
  const Result<std::vector<SocketAddress>, Problem> where = resolve(address);
  if (!where) return where.error();
  const std::string host = address.is_unix ? "localhost" : to_string(address);
  const std::string request =
      line + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + fields + "\r\n";
  const Result<BlockingReply, Problem> reply =
      blocking_request(*where, request, kLargestReply, until);
  if (!reply) return not_reached(address, reply.error().what);
  if (!reply->has_ended || reply->bytes.empty()) return not_reached(address, "no answer in time");
  return parse_reply(address, reply->bytes);
}

}  // namespace

Result<AdminReply, Problem> admin_get(const Address& address, std::string_view path,
                                      Duration timeout) {
  return ask(address, "GET " + std::string(path), "", timeout);
}

Result<AdminReply, Problem> admin_post(const Address& address, std::string_view path,
                                       std::string_view token, Duration timeout) {
  std::string fields = "Content-Length: 0\r\n";
  if (!token.empty()) fields += "Authorization: Bearer " + std::string(token) + "\r\n";
  return ask(address, "POST " + std::string(path), fields, timeout);
}

}  // namespace weir
