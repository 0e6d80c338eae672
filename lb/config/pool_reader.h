// The keys of one pool out of a config file: balancing, limits, health, backends and where more of
// them come from. Lives only while a file is read; main thread.
#pragma once

#include <vector>

#include "lb/config/config.h"
#include "lb/config/config_reader.h"

namespace weir {

// Takes the keys of a pool, wherever they stand; the caller rejects what is left.
void read_pool(ConfigReader& in, std::vector<JsonMistake>& mistakes, PoolConfig& out);

}  // namespace weir
