// The random API key of a run.
#pragma once

#include <string>

#include "weir/result.h"

namespace weir {

Result<std::string, Problem> make_run_key();  // 32 random bytes as 64 hexadecimal digits

}  // namespace weir
