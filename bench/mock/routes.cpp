#include "bench/mock/routes.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace weir {
namespace {

struct Row {
  std::string_view path;
  std::string_view methods;  // as `allow` lists them
  MockRoute route;
};

constexpr std::array kRows{
    Row{"/v1/chat/completions", "POST", MockRoute::chat},
    Row{"/v1/completions", "POST", MockRoute::completions},
    Row{"/v1/embeddings", "POST", MockRoute::embeddings},
    Row{"/tokenize", "POST", MockRoute::tokenize},
    Row{"/health", "GET", MockRoute::health},
    Row{"/ping", "GET, POST", MockRoute::health},
    Row{"/version", "GET", MockRoute::version},
    Row{"/v1/models", "GET", MockRoute::models},
    Row{"/load", "GET", MockRoute::load},
    Row{"/metrics", "GET", MockRoute::metrics},
    Row{"/mock/fault", "POST", MockRoute::fault},
};

const Row* find_row(std::string_view path) {
  const auto row = std::ranges::find(kRows, path, &Row::path);
  return row == kRows.end() ? nullptr : &*row;
}

PlainAnswer redirect(const MockRequest& request, std::string_view path) {
  const size_t query = request.target.find('?');
  const std::string_view rest = query == std::string::npos
                                    ? std::string_view()
                                    : std::string_view(request.target).substr(query);
  return {.status = 307,
          .content_type = {},
          .after_length = fmt::format("location: http://{}{}{}\r\n", request.host, path, rest)};
}

}  // namespace

RouteMatch match_route(const MockRequest& request) {
  std::string_view path = request.path();
  const Row* row = find_row(path);
  if (row == nullptr) {
    if (path.size() > 1 && path.ends_with('/')) {
      path.remove_suffix(1);
      if (find_row(path) != nullptr) return {MockRoute::refused, redirect(request, path)};
    }
    return {MockRoute::refused, {.status = 404, .body = R"({"detail":"Not Found"})"}};
  }
  if (row->methods.find(request.method) != std::string_view::npos) return {row->route, {}};
  return {MockRoute::refused,
          {.status = 405,
           .body = R"({"detail":"Method Not Allowed"})",
           .before_length = fmt::format("allow: {}\r\n", row->methods)}};
}

bool is_guarded(std::string_view path) {
  constexpr std::array<std::string_view, 4> kPrefixes{"/v1", "/v2", "/inference", "/cohere"};
  return std::ranges::any_of(kPrefixes,
                             [path](std::string_view prefix) { return path.starts_with(prefix); });
}

bool has_key(std::string_view authorization, std::string_view key) {
  constexpr std::string_view kBearer = "Bearer ";
  return authorization.starts_with(kBearer) && authorization.substr(kBearer.size()) == key;
}

bool is_json(std::string_view content_type) {
  return content_type.substr(0, content_type.find(';')) == "application/json";
}

}  // namespace weir
