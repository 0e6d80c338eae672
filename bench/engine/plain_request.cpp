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
  const TimePoint until = std::chrono::steady_clock::now() + timeout;
  std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}", body.empty() ? "GET" : "POST", path,
      target.address.is_unix ? "localhost" : to_string(target.address), fields);
  if (!body.empty()) {
    request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  request += "\r\n";
  request += body;
  const Result<BlockingReply, Problem> reply =
      blocking_request(*target.addresses, request, kLargestAnswer, until);
  if (!reply) return failed(target, reply.error().what);
  const std::string& answer = reply->bytes;
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
