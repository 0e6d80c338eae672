// However a path is disguised, what a lenient server would take for engine control does not pass;
// `inference` passes only paths that are spelled as they are known.
#include "lb/http/ascii.h"
#include "lb/http/path_policy.h"
#include "tests/fuzz/fuzz.h"

using namespace weir::http;
using weir::fuzz::check;

namespace {

std::string decoded(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[i + 2]) : -1;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : path[i];
    if (low >= 0) i += 2;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view path = weir::fuzz::as_text(data, size);
  const bool passes = judge_path(path, PathMode::all).is_allowed;
  check(judge_path(path, PathMode::unsafe_all).is_allowed, "unsafe_all passes everything");
  if (judge_path(path, PathMode::inference).is_allowed) {
    check(passes, "what inference passes, all passes");
    check(path.find('%') == path.npos && path.find("//") == path.npos, "spelled plainly");
  }
  std::string once = decoded(path);
  const bool passes_decoded = judge_path(once, PathMode::all).is_allowed;
  check(!passes || passes_decoded, "what passes still passes when a server has decoded it");
  while (once.size() > 1 && once.back() == '/') once.pop_back();
  check(!passes || (once != "/sleep" && once != "/collective_rpc"),
        "no engine control in disguise");
  return 0;
}
