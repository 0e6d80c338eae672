// A light look at a whole plain JSON answer: was it aborted, and what does `usage` say; no JSON
// parse. The needles are structural: inside a JSON string their quotes would be escaped. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

struct AnswerLook {
  bool is_abort = false;       // "finish_reason":"abort"
  int64_t prompt_tokens = -1;  // -1 = not there
  int64_t completion_tokens = -1;
};
AnswerLook look_at_answer(std::string_view json);

// Does this error answer only say that the backend cannot take the request now, whatever it is? 503
// is vLLM's admission control; while vLLM shuts down, or when its engine has died, /health may
// still be 200 but every request gets one of two 500s.
bool is_decline(int status, std::string_view json);

}  // namespace weir::http
