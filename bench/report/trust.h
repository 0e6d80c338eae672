// Whether the numbers of a run are the pool's or the tester's own: it measured itself while it
// worked. Pure; value types, any thread.
#pragma once

#include <string>
#include <vector>

#include "bench/report/run_numbers.h"

namespace weir {

struct TrustReport {
  std::vector<std::string> reasons;  // why not, each with figures; empty = trusted
  std::vector<std::string> remarks;  // worth knowing, but no reason
  bool is_trusted() const { return reasons.empty(); }
};

// The rules are a table in docs/bench.md, "Trust".
TrustReport trust_in(const RunRecord& run, const RunNumbers& numbers);

}  // namespace weir
