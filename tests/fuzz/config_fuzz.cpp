// Any bytes as a config file: nothing crashes, what is refused says why, and a config that is taken
// can be printed and read again to the same.
#include "lb/config/config_load.h"
#include "lb/config/config_text.h"
#include "tests/fuzz/fuzz.h"

using weir::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = weir::fuzz::as_text(data, size);
  if (text.find("${") != std::string_view::npos) return 0;  // reads no files here
  const weir::Config defaults = weir::default_config(weir::Command::serve);
  const auto config = weir::parse_config(text, defaults);
  if (!config) {
    check(!config.error().empty(), "a refusal has a reason");
    for (const weir::ConfigMistake& mistake : config.error()) {
      check(!mistake.what.empty(), "which is a text");
    }
    return 0;
  }
  if (!config.value().admin.token.empty()) return 0;  // secrets are not printed
  for (const weir::BackendSpec& backend : config.value().pool.backends) {
    if (!backend.api_key.empty()) return 0;
  }
  for (const bool has_comments : {false, true}) {
    const std::string printed = weir::config_text(config.value(), {has_comments});
    const auto again = weir::parse_config(printed, defaults);
    check(again.has_value(), "what is printed can be read");
    check(again.value() == config.value(), "and says the same");
  }
  return 0;
}
