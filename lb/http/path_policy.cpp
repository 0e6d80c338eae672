#include "lb/http/path_policy.h"

#include <algorithm>
#include <array>
#include <string>

#include "lb/http/ascii.h"

namespace weir::http {
namespace {

using enum PathClass;

struct Route {
  std::string_view path;
  PathClass path_class;
};

// vLLM 0.32's routes, sorted. Paths with a part that varies are in classify_family().
constexpr std::array kRoutes{
    Route{"/abort_requests", development},
    Route{"/adapters", engine_control},
    Route{"/classify", inference},
    Route{"/cohere/v2/chat", inference},
    Route{"/collective_rpc", development},
    Route{"/derender", cheap},
    Route{"/detokenize", cheap},
    Route{"/docs", read_only},
    Route{"/docs/oauth2-redirect", read_only},
    Route{"/fault_tolerance/apply", engine_control},
    Route{"/fault_tolerance/status", engine_control},
    Route{"/finish_weight_update", development},
    Route{"/generative_scoring", inference},
    Route{"/get_world_size", development},
    Route{"/health", health},
    Route{"/inference/v1/abort_requests", engine_control},
    Route{"/inference/v1/generate", inference},
    Route{"/init_weight_transfer_engine", development},
    Route{"/invocations", inference},
    Route{"/is_paused", development},
    Route{"/is_scaling_elastic_ep", engine_control},
    Route{"/is_sleeping", development},
    Route{"/kv_event_sources", read_only},
    Route{"/load", read_only},
    Route{"/metrics", read_only},
    Route{"/openapi.json", read_only},
    Route{"/pause", development},
    Route{"/ping", read_only},
    Route{"/pooling", inference},
    Route{"/redoc", read_only},
    Route{"/release_kv_cache_memory", development},
    Route{"/render", cheap},
    Route{"/rerank", inference},
    Route{"/reset_encoder_cache", development},
    Route{"/reset_mm_cache", development},
    Route{"/reset_prefix_cache", development},
    Route{"/resume", development},
    Route{"/resume_kv_cache_memory", development},
    Route{"/scale_elastic_ep", engine_control},
    Route{"/score", inference},
    Route{"/server_info", development},
    Route{"/sleep", development},
    Route{"/start_profile", development},
    Route{"/start_weight_update", development},
    Route{"/stop_profile", development},
    Route{"/tokenize", cheap},
    Route{"/tokenizer_info", read_only},
    Route{"/update_weights", development},
    Route{"/v1/audio/transcriptions", inference},
    Route{"/v1/audio/translations", inference},
    Route{"/v1/chat/completions", inference},
    Route{"/v1/chat/completions/batch", inference},
    Route{"/v1/chat/completions/derender", cheap},
    Route{"/v1/chat/completions/render", cheap},
    Route{"/v1/completions", inference},
    Route{"/v1/completions/derender", cheap},
    Route{"/v1/completions/render", cheap},
    Route{"/v1/embeddings", inference},
    Route{"/v1/load_lora_adapter", engine_control},
    Route{"/v1/messages", inference},
    Route{"/v1/messages/count_tokens", cheap},
    Route{"/v1/models", models},
    Route{"/v1/realtime", inference},
    Route{"/v1/rerank", inference},
    Route{"/v1/responses", inference},
    Route{"/v1/score", inference},
    Route{"/v1/systemone", inference},
    Route{"/v1/unload_lora_adapter", engine_control},
    Route{"/v2/embed", inference},
    Route{"/v2/rerank", inference},
    Route{"/version", read_only},
    Route{"/wake_up", development},
};
static_assert(std::ranges::is_sorted(kRoutes, {}, &Route::path));

constexpr int kDecodingRounds = 4;

// /adapters/{name} and /v1/responses/{id}[/cancel]
PathClass classify_family(std::string_view path) {
  if (path.starts_with("/adapters/")) return engine_control;
  constexpr std::string_view kResponses = "/v1/responses/";
  if (!path.starts_with(kResponses)) return unknown;
  std::string_view id = path.substr(kResponses.size());
  if (id.ends_with("/cancel")) id.remove_suffix(7);
  return id.empty() || id.find('/') != id.npos ? unknown : cheap;
}

PathClass classify(std::string_view path) {
  const auto route = std::ranges::lower_bound(kRoutes, path, {}, &Route::path);
  if (route != kRoutes.end() && route->path == path) return route->path_class;
  return classify_family(path);
}

bool is_blocked(PathClass path_class) {
  return path_class == engine_control || path_class == development;
}

ApiShape shape_of(std::string_view path) {
  const auto is_under = [&](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  };
  if (is_under("/v1/messages")) return ApiShape::anthropic;
  return is_under("/v1/responses") ? ApiShape::responses : ApiShape::openai;
}

// Nothing to decode or to resolve, by far the most frequent case.
bool is_normal(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%' || c == '\\') return false;
    if (c != '/' || i + 1 == path.size()) continue;
    if (path[i + 1] == '/') return false;
    if (path[i + 1] != '.') continue;
    const std::string_view segment = path.substr(i + 1, path.find('/', i + 1) - (i + 1));
    if (segment == "." || segment == "..") return false;
  }
  return true;
}

// One round of percent-decoding. False when nothing was encoded. What is not two hex digits stays
// as it is.
bool decode(std::string* path) {
  size_t length = 0;
  bool has_decoded = false;
  for (size_t i = 0; i < path->size(); ++i) {
    char c = (*path)[i];
    const int high = c == '%' && i + 2 < path->size() ? hex_value((*path)[i + 1]) : -1;
    const int low = high >= 0 ? hex_value((*path)[i + 2]) : -1;
    if (low >= 0) {
      c = static_cast<char>(high * 16 + low);
      i += 2;
      has_decoded = true;
    }
    (*path)[length++] = c;
  }
  path->resize(length);
  return has_decoded;
}

// Dot segments, empty segments and "\" resolved as the most lenient server would.
std::string resolve(std::string_view path) {
  std::string out;
  out.reserve(path.size() + 1);
  size_t at = 0;
  while (at < path.size()) {
    size_t end = path.find_first_of("/\\", at);
    if (end == path.npos) end = path.size();
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      out.resize(out.rfind('/') == out.npos ? 0 : out.rfind('/'));
    } else if (!segment.empty() && segment != ".") {
      out.append("/").append(segment);
    }
    at = end + 1;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

struct NormalForm {
  std::string path;
  bool is_final = false;  // decoding came to an end, and no control character came out
};

NormalForm normalise(std::string_view path) {
  NormalForm form;
  form.path = path;
  for (int round = 0; round < kDecodingRounds && !form.is_final; ++round) {
    form.is_final = !decode(&form.path);
  }
  for (const char c : form.path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) form.is_final = false;
  }
  form.path = resolve(form.path);
  return form;
}

// Would some server take this for a blocked path: with other case, or with a slash at its end?
bool may_mean_blocked(std::string_view normal_path) {
  std::string path(normal_path);
  for (char& c : path) c = lower(c);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return is_blocked(classify(path));
}

PathVerdict refuse(PathVerdict verdict, ErrorKind refusal) {
  verdict.is_allowed = false;
  verdict.refusal = refusal;
  return verdict;
}

PathVerdict judge_inference(PathVerdict verdict) {
  switch (verdict.path_class) {
    case inference:
    case cheap:
    case models:
    case health:
      verdict.is_allowed = true;
      return verdict;
    case engine_control:
    case development:
      return refuse(verdict, ErrorKind::path_not_allowed);
    case read_only:
    case unknown:
      break;
  }
  return refuse(verdict, ErrorKind::path_unknown);
}

}  // namespace

PathVerdict judge_path(std::string_view path, PathMode mode) {
  PathVerdict verdict;
  // Most requests by far: inference, passed in every mode.
  if (equals(path, "/v1/chat/completions") || equals(path, "/v1/completions")) {
    verdict.path_class = inference;
    verdict.is_allowed = true;
    return verdict;
  }
  if (is_normal(path)) {
    verdict.path_class = classify(path);
    verdict.shape = shape_of(path);
    if (mode == PathMode::inference) return judge_inference(verdict);
    verdict.is_allowed = true;
    if (mode == PathMode::unsafe_all) return verdict;
    const bool is_refused =
        is_blocked(verdict.path_class) || (verdict.path_class == unknown && may_mean_blocked(path));
    return is_refused ? refuse(verdict, ErrorKind::path_not_allowed) : verdict;
  }
  const NormalForm form = normalise(path);
  verdict.path_class = classify(form.path);
  verdict.shape = shape_of(form.path);
  const bool is_refused = !form.is_final || may_mean_blocked(form.path);
  if (mode == PathMode::inference) {
    return refuse(verdict, is_refused ? ErrorKind::path_not_allowed : ErrorKind::path_unknown);
  }
  verdict.is_allowed = true;
  if (mode == PathMode::unsafe_all) return verdict;
  return is_refused ? refuse(verdict, ErrorKind::path_not_allowed) : verdict;
}

bool is_repeatable(Method method, PathClass path_class) noexcept {
  if (is_idempotent(method)) return true;
  return method == Method::post && (path_class == inference || path_class == cheap);
}

}  // namespace weir::http
