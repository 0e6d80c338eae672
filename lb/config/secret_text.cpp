#include "lb/config/secret_text.h"

#include <stdlib.h>

#include <algorithm>
#include <memory>

#include "lb/config/small_file.h"

namespace weir {
namespace {

constexpr size_t kLongestSecret = 4096;

Result<std::string, Problem> from_file(const std::string& path) {
  Result<std::string, Problem> text = read_small_file(path, kLongestSecret + 2);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

Result<std::string, Problem> fetch(std::string_view text) {
  if (!text.starts_with("${")) return std::string(text);
  const std::string_view inside = text.ends_with('}') ? text.substr(2, text.size() - 3) : "";
  const size_t colon = inside.find(':');
  const std::string_view kind = inside.substr(0, colon == std::string_view::npos ? 0 : colon);
  const std::string name(colon == std::string_view::npos ? "" : inside.substr(colon + 1));
  if (!name.empty() && kind == "file") return from_file(name);
  if (!name.empty() && kind == "env") {
    const char* value = ::getenv(name.c_str());
    if (value != nullptr) return std::string(value);
    return Problem{"the environment has no " + name, "set it, or name a file with ${file:PATH}"};
  }
  if (!name.empty() && kind == "credential" && name.find('/') == std::string::npos) {
    const char* directory = ::getenv("CREDENTIALS_DIRECTORY");
    if (directory != nullptr) return from_file(std::string(directory) + "/" + name);
    return Problem{"there is no $CREDENTIALS_DIRECTORY for the credential " + name,
                   "add LoadCredential=" + name + ":FILE to the systemd unit"};
  }
  return Problem{"a secret is written ${file:PATH}, ${env:NAME} or ${credential:NAME}", ""};
}

}  // namespace

Result<std::string, Problem> read_secret(std::string_view text) {
  Result<std::string, Problem> secret = fetch(text);
  if (!secret) return secret;
  if (*secret == kMaskedSecret) {
    return Problem{"\"***\" stands where weir check --print left a secret out",
                   "write the secret, or ${file:PATH}"};
  }
  const bool is_visible = std::ranges::all_of(*secret, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!secret->empty() && secret->size() <= kLongestSecret && is_visible) return secret;
  return Problem{"the secret is empty, too long or not visible ASCII", "check where it comes from"};
}

}  // namespace weir
