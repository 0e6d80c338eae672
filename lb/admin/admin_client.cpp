#include "lb/admin/admin_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>

#include "lb/net/socket.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

Problem not_reached(const Address& address, std::string_view why) {
  return Problem{"cannot reach weir at " + to_string(address) + ": " + std::string(why),
                 "check that it runs"};
}

// False when `until` came first.
bool wait_for(int fd, short events, TimePoint until) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{fd, events, 0};
    const int count = ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

Result<UniqueFd, Problem> connect_to(const Address& address, TimePoint until) {
  const Result<std::vector<SocketAddress>, Problem> where = resolve(address);
  if (!where) return where.error();
  int error = ECONNREFUSED;
  for (const SocketAddress& one : *where) {
    Result<UniqueFd> fd = begin_connect(one);
    if (!fd) {
      error = fd.error().os_error;
      continue;
    }
    if (!wait_for(fd->get(), POLLOUT, until)) return not_reached(address, "no connection in time");
    error = connect_result(fd->get());
    if (error == 0) return std::move(*fd);
  }
  return not_reached(address, ::strerror(error));
}

bool send_all(int fd, std::string_view bytes, TimePoint until) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (count < 0 && errno == EAGAIN && !wait_for(fd, POLLOUT, until)) return false;
  }
  return true;
}

// Until the other side's end; empty when it did not come in time or broke off.
std::string read_all(int fd, TimePoint until) {
  std::string answer;
  std::array<char, 16384> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (answer.size() <= kLargestReply) {
    const ssize_t count = ::recv(fd, piece.data(), piece.size(), 0);
    if (count == 0) return answer;
    if (count > 0) answer.append(piece.data(), static_cast<size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) return {};
    if (count < 0 && errno == EAGAIN && !wait_for(fd, POLLIN, until)) return {};
  }
  return {};
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
  const TimePoint until = Clock::now() + timeout;
  Result<UniqueFd, Problem> fd = connect_to(address, until);
  if (!fd) return fd.error();
  const std::string host = address.is_unix ? "localhost" : to_string(address);
  const std::string request =
      line + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + fields + "\r\n";
  if (!send_all(fd->get(), request, until))
    return not_reached(address, "it does not read the request");
  const std::string answer = read_all(fd->get(), until);
  if (answer.empty()) return not_reached(address, "no answer in time");
  return parse_reply(address, answer);
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
