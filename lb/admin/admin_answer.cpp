#include "lb/admin/admin_answer.h"

#include "weir/json_string.h"

namespace weir {

AdminAnswer refusal(std::string_view path, int status, std::string_view code,
                    std::string_view message, std::string_view help) {
  AdminAnswer answer;
  answer.status = status;
  if (path.starts_with("/api/")) {
    answer.content_type = "application/json";
    answer.body = "{\"error\":{\"code\":";
    append_json_string(answer.body, code);
    answer.body += ",\"message\":";
    append_json_string(answer.body, message);
    answer.body += ",\"help\":";
    append_json_string(answer.body, help);
    answer.body += "}}\n";
    return answer;
  }
  answer.body = std::string(message) + "\n";
  if (!help.empty()) answer.body += std::string(help) + "\n";
  return answer;
}

}  // namespace weir
