#include "bench/mock/http_text.h"

#include <fmt/format.h>

#include "lb/http/status_reason.h"

namespace weir {

std::string_view HttpDate::at(time_t now) {
  if (now != made_at_) {
    made_at_ = now;
    tm parts{};
    ::gmtime_r(&now, &parts);
    ::strftime(text_, sizeof text_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return text_;
}

std::string plain_head(const PlainAnswer& answer, std::string_view date) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\ndate: {}\r\nserver: uvicorn\r\n{}content-length: {}\r\n", answer.status,
      http::status_reason(answer.status), date, answer.before_length, answer.body.size());
  head += answer.after_length;
  if (!answer.content_type.empty())
    head += fmt::format("content-type: {}\r\n", answer.content_type);
  if (answer.has_vary) head += "vary: Origin\r\n";
  if (answer.should_close) head += "connection: close\r\n";
  head += "\r\n";
  return head;
}

std::string stream_head(bool should_close, std::string_view date) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\ndate: {}\r\nserver: uvicorn\r\ncontent-type: text/event-stream; "
      "charset=utf-8\r\n"
      "vary: Origin\r\n{}transfer-encoding: chunked\r\n\r\n",
      date, should_close ? "connection: close\r\n" : "");
}

std::string invalid_request_response(std::string_view date) {
  return fmt::format(
      "HTTP/1.1 400 Bad Request\r\ndate: {}\r\nserver: uvicorn\r\ncontent-type: text/plain; "
      "charset=utf-8\r\n"
      "content-length: 30\r\nconnection: close\r\n\r\nInvalid HTTP request received.",
      date);
}

}  // namespace weir
