// What a run comes to: each condition with the value it was held against, and the exit status.
// Pure; value types, any thread.
#pragma once

#include <string>
#include <vector>

#include "bench/report/condition.h"
#include "bench/report/trust.h"

namespace weir {

struct ConditionResult {
  Condition condition;
  double value = 0;
  bool is_known = false;  // false: there is no such number (no token came, no --goodput)
  bool is_met = false;    // of --slo: it holds; of --fail-on: it does not
  std::string text;       // "ttft_p99 468 ms, wanted < 500 ms"
};

struct VerdictOptions {
  std::vector<Condition> slo;      // must hold
  std::vector<Condition> fail_on;  // must not
  bool allow_failed = false;
};

struct Verdict {
  std::vector<ConditionResult> slo;
  std::vector<ConditionResult> fail_on;
  bool is_lossy = false;  // requests were lost, and that was not allowed
  int exit_status = 0;
  std::string text;  // one line: "trusted, every SLO holds"

  bool holds() const;  // every --slo
};

// 1 = requests were lost (unless allowed) or a --fail-on is true: that is so whatever the clock
// says; else 4 = not trusted, since nothing can be said of an SLO then; else 3 = an SLO is broken;
// else 0.
Verdict verdict_of(const RunNumbers& numbers, const TrustReport& trust,
                   const VerdictOptions& options);

}  // namespace weir
