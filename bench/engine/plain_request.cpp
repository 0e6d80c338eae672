#include "bench/engine/plain_request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "lb/http/body_reader.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kLargestAnswer = size_t{16} << 20;

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

Problem failed(const BenchTarget& target, std::string_view why) {
  return {fmt::format("cannot reach {}: {}", target.url, why), "check that it runs"};
}

Result<UniqueFd, Problem> connect_to(const BenchTarget& target, TimePoint until) {
  int error = ECONNREFUSED;
  for (const SocketAddress& one : *target.addresses) {
    Result<UniqueFd> fd = begin_connect(one);
    if (!fd) {
      error = fd.error().os_error;
      continue;
    }
    if (!wait_for(fd->get(), POLLOUT, until)) return failed(target, "no connection in time");
    error = connect_result(fd->get());
    if (error == 0) return std::move(*fd);
  }
  return failed(target, ::strerror(error));
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

// The whole answer; `Connection: close` was asked for.
std::string read_all(int fd, TimePoint until) {
  std::string answer;
  std::array<char, 16384> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (answer.size() <= kLargestAnswer) {
    const ssize_t count = ::recv(fd, piece.data(), piece.size(), 0);
    if (count == 0) break;
    if (count > 0) answer.append(piece.data(), static_cast<size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) break;
    if (count < 0 && errno == EAGAIN && !wait_for(fd, POLLIN, until)) break;
  }
  return answer;
}

std::string content_of_body(http::Framing framing, std::string_view bytes) {
  using Kind = http::BodyReader::PieceKind;
  http::BodyReader reader;
  reader.start(framing);
  std::string content;
  while (true) {
    const http::BodyReader::Piece piece = reader.next(bytes);
    if (piece.kind == Kind::data) content.append(bytes.substr(0, piece.length));
    bytes.remove_prefix(piece.length);
    if (piece.kind == Kind::end || piece.kind == Kind::bad || piece.kind == Kind::more) break;
  }
  return content;
}

}  // namespace

Result<PlainReply, Problem> plain_request(const BenchTarget& target, std::string_view path,
                                          std::string_view fields, std::string_view body,
                                          Duration timeout) {
  const TimePoint until = Clock::now() + timeout;
  Result<UniqueFd, Problem> fd = connect_to(target, until);
  if (!fd) return fd.error();
  std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}", body.empty() ? "GET" : "POST", path,
      target.address.is_unix ? "localhost" : to_string(target.address), fields);
  if (!body.empty()) {
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  request += "\r\n";
  request += body;
  if (!send_all(fd->get(), request, until)) return failed(target, "it does not read the request");
  const std::string answer = read_all(fd->get(), until);
  http::HeadScanner scanner;
  const http::HeadLimits limits;
  if (answer.empty()) return failed(target, "no answer in time");
  if (scanner.scan(answer, limits.head_bytes) != http::HeadState::complete) {
    return failed(target, "what answers there does not speak HTTP");
  }
  http::HeadParser parser;
  const std::string_view bytes = answer;
  const auto method = body.empty() ? http::Method::get : http::Method::post;
  const Result<const http::ResponseHead*> head =
      parser.parse_response(bytes.substr(0, scanner.head_length()), method, false, limits);
  if (!head) return failed(target, "what answers there does not speak HTTP");
  return PlainReply{(*head)->status,
                    content_of_body((*head)->framing, bytes.substr(scanner.head_length()))};
}

}  // namespace weir
