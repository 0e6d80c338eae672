// Any bytes as a launcher file: nothing crashes, the list is bounded, and a published run that is
// taken can be written down and read again.
#include "discovery/launcher_file.h"
#include "tests/fuzz/fuzz.h"

using weir::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = weir::fuzz::as_text(data, size);
  for (const bool is_settled : {false, true}) {
    const auto file = weir::read_launcher_file(text, is_settled);
    if (!file) continue;
    check(file.value().backends.size() <= weir::kMaxListedBackends,
          "no more backends than allowed");
    if (!file.value().is_published) continue;
    const auto again = weir::read_launcher_file(weir::launcher_file_text(file.value().run), true);
    check(again.has_value(), "what is written can be read");
    check(again.value().backends.size() == file.value().backends.size(), "and says the same");
  }
  return 0;
}
