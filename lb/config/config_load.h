// A config file as a Config, taken whole or refused whole with every mistake in it; and the checks
// that need more than one setting. Reads files named by the user, nothing else; main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/result.h"

#include "lb/config/config.h"

namespace weir {

struct ConfigMistake {
  std::string what;
  std::string help;
  uint32_t line = 0;  // 0 = of the file as a whole
  uint32_t column = 0;
};

// "site.json:14:17", or the file's name alone.
std::string where_text(std::string_view file, const ConfigMistake& mistake);

// `defaults` is what a key that is absent keeps. Cross-field checks are not made here: flags may
// come on top.
Result<Config, std::vector<ConfigMistake>> parse_config(std::string_view text,
                                                        const Config& defaults);
Result<Config, std::vector<ConfigMistake>> load_config(const std::string& file,
                                                       const Config& defaults);

// What makes no sense together; empty when all is well.
std::vector<Problem> check_config(const Config& config);

}  // namespace weir
