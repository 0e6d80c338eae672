// What the admin side answers, before it is bytes. Value type, any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

struct AdminAnswer {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow;       // of a 405
  bool asks_for_token = false;  // of a 401
};

// Text, or for a path of the API {"error":{"code","message","help"}}; the code of a machine, the
// rest for people.
AdminAnswer refusal(std::string_view path, int status, std::string_view code,
                    std::string_view message, std::string_view help = {});

}  // namespace weir
