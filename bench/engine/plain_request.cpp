#include "bench/engine/plain_request.h"

#include <chrono>

#include <fmt/format.h>

#include "lb/http/body_reader.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"
#include "lb/net/blocking_request.h"

namespace weir {
namespace {

constexpr size_t kLargestAnswer = size_t{16} << 20;

Problem failed(const BenchTarget& target, std::string_view why) {
  return {fmt::format("cannot reach {}: {}", target.url, why), "check that it runs"};
}

using Kind = http::BodyReader::PieceKind;

// The content of what came of a body; how its last piece ended goes into `end`.
std::string content_of_body(http::Framing framing, std::string_view bytes, Kind* end) {
  http::BodyReader reader;
  reader.start(framing);
  std::string content;
  while (true) {
    const http::BodyReader::Piece piece = reader.next(bytes);
    if (piece.kind == Kind::data) content.append(bytes.substr(0, piece.length));
    bytes.remove_prefix(piece.length);
    *end = piece.kind;
    if (*end == Kind::end || *end == Kind::bad || *end == Kind::more) break;
  }
  return content;
}

struct Answer {
  int status = 0;  // 0: the head is not whole, or no HTTP
  std::string content;
  bool has_ended = false;  // by its own framing
};

// 200 or an error: an interim head is not expected here.
Answer read_answer(std::string_view bytes, http::Method method) {
  http::HeadScanner scanner;
  const http::HeadLimits limits;
  if (scanner.scan(bytes, limits.head_bytes) != http::HeadState::complete) return {};
  http::HeadParser parser;
  const std::string_view text = bytes.substr(0, scanner.head_length());
  const Result<const http::ResponseHead*> head = parser.parse_response(text, method, false, limits);
  if (!head) return {};
  Kind end = Kind::more;
  Answer answer;
  answer.status = (*head)->status;
  answer.content = content_of_body((*head)->framing, bytes.substr(text.size()), &end);
  answer.has_ended = end == Kind::end || end == Kind::bad;
  return answer;
}

// There are servers that keep the connection whatever was asked.
template <http::Method kMethod>
bool is_whole(std::string_view bytes) {
  return read_answer(bytes, kMethod).has_ended;
}

}  // namespace

Result<PlainReply, Problem> plain_request(const BenchTarget& target, std::string_view path,
                                          std::string_view fields, std::string_view body,
                                          Duration timeout) {
  const TimePoint until = std::chrono::steady_clock::now() + timeout;
  std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}", body.empty() ? "GET" : "POST", path,
      target.address.is_unix ? "localhost" : to_string(target.address), fields);
  if (!body.empty()) {
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  request += "\r\n";
  request += body;
  const auto method = body.empty() ? http::Method::get : http::Method::post;
  const IsEnough is_enough =
      body.empty() ? &is_whole<http::Method::get> : &is_whole<http::Method::post>;
  const Result<BlockingReply, Problem> reply =
      blocking_request(*target.addresses, request, kLargestAnswer, until, is_enough);
  if (!reply) return failed(target, reply.error().what);
  if (reply->bytes.empty()) return failed(target, "no answer in time");
  Answer answer = read_answer(reply->bytes, method);
  if (answer.status == 0) return failed(target, "what answers there does not speak HTTP");
  return PlainReply{answer.status, std::move(answer.content)};
}

}  // namespace weir
