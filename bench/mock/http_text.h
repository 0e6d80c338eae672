// Response heads as uvicorn writes them: names in lower case, in its order. Pure but for the date.
// One thread.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace weir {

// An answer that is known as a whole.
struct PlainAnswer {
  int status = 200;
  std::string body{};
  std::string_view content_type = "application/json";  // empty = no such line
  std::string before_length{};  // whole lines, each with CRLF: where `allow` stands
  std::string after_length{};   // and where `location` stands
  bool has_vary = true;
  bool should_close = false;
};

// "Sun, 22 Nov 2026 12:37:35 GMT"; made anew once a second.
class HttpDate {
 public:
  std::string_view at(time_t now);

 private:
  time_t made_at_ = -1;
  char text_[40] = "";
};

std::string plain_head(const PlainAnswer& answer, std::string_view date);
std::string stream_head(bool should_close, std::string_view date);
// "Invalid HTTP request received.", the whole response.
std::string invalid_request_response(std::string_view date);

}  // namespace weir
