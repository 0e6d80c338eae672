// Which path and method leads where in the pretend vLLM, and how it refuses the rest. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "bench/mock/http_text.h"
#include "bench/mock/request_parser.h"

namespace weir {

enum class MockRoute : uint8_t {
  refused,  // see RouteMatch::refusal
  chat,
  completions,
  embeddings,
  tokenize,
  health,
  version,
  models,
  load,
  metrics,
  fault,
};

struct RouteMatch {
  MockRoute route = MockRoute::refused;
  PlainAnswer refusal;  // 307, 404 or 405
};

RouteMatch match_route(const MockRequest& request);

// Whether the key is asked for here: vLLM guards /v1, /v2, /inference and /cohere, and nothing
// else.
bool is_guarded(std::string_view path);
// `authorization` is the header's value.
bool has_key(std::string_view authorization, std::string_view key);
bool is_json(std::string_view content_type);

}  // namespace weir
