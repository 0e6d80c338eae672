// Which paths are forwarded, what they are, and in which shape their API tells errors. Pure; the
// table is vLLM's routes (path_policy.cpp). Matched on the normalised path (percent-decoded, dot
// segments and // resolved), forwarded verbatim.
#pragma once

#include <string_view>

#include "weir/error.h"

#include "lb/http/message_head.h"

namespace weir::http {

enum class PathMode : uint8_t { inference, all, unsafe_all };

enum class PathClass : uint8_t {
  inference,       // generation, embeddings, scoring, audio: work for a GPU
  cheap,           // tokenize and the like: CPU only
  models,          // GET /v1/models
  health,          // GET /health
  read_only,       // /version, /metrics, /load, docs
  engine_control,  // /scale_elastic_ep, LoRA loading, …
  development,     // /sleep, /pause, /collective_rpc, …
  unknown,
};

// How an API puts an error into a stream.
enum class ApiShape : uint8_t { openai, anthropic, responses };

struct PathVerdict {
  PathClass path_class = PathClass::unknown;
  ApiShape shape = ApiShape::openai;
  bool is_allowed = false;
  ErrorKind refusal = ErrorKind::path_unknown;  // when not allowed
};

PathVerdict judge_path(std::string_view path, PathMode mode);

// May be sent a second time when its backend died before any byte of the response: idempotent
// methods, and POST on the known inference and cheap paths.
bool is_repeatable(Method method, PathClass path_class) noexcept;

}  // namespace weir::http
