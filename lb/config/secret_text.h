// Secrets that a config names without containing them: "${file:PATH}", "${env:NAME}",
// "${credential:NAME}" (of systemd). Reads the file or the variable; main thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/result.h"

namespace weir {

// What is printed in place of a secret; nobody's secret.
inline constexpr std::string_view kMaskedSecret = "***";

// The secret itself; a text without "${" is one already. It must be usable in a header: visible
// ASCII, not empty, <= 4 KiB. Problems name the source, never the content.
Result<std::string, Problem> read_secret(std::string_view text);

}  // namespace weir
