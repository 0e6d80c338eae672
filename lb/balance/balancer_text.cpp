// What a Balancer says in words: the trace of a choice, and how its backends are.
#include <algorithm>
#include <array>

#include "lb/balance/balancer_impl.h"

namespace weir {

// "choose backend=b outstanding=1 fewest=1 of [a=2 b=1 c=4:full d=0:excluded]": the usable backends
// before the choice; `fewest` is over those of them that could be chosen.
std::string Balancer::Impl::trace_choice(const BackendState& chosen, const Wish& wish) const {
  uint32_t fewest = ~uint32_t{0};
  std::string all;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (!state->counts_as_usable) continue;
    if (!all.empty()) all += ' ';
    all += state->spec().id + "=" + std::to_string(state->outstanding);
    if (state->is_full()) {
      all += ":full";
    } else if (is_excluded(wish, *state)) {
      all += ":excluded";
    } else {
      fewest = std::min(fewest, state->outstanding);
    }
  }
  return "choose backend=" + chosen.spec().id +
         " outstanding=" + std::to_string(chosen.outstanding) +
         " fewest=" + std::to_string(fewest) + " of [" + all + "]";
}

std::string Balancer::Impl::describe() const {
  const std::string pool = "of pool " + options.pool;
  const size_t all = table.states().size();
  std::string text = usable == 0 ? "no backend " + pool + " is ready"
                                 : std::to_string(usable) + " of " + std::to_string(all) +
                                       (all == 1 ? " backend " : " backends ") + pool +
                                       (usable == 1 ? " is ready" : " are ready");
  std::array<size_t, static_cast<size_t>(BackendStateName::failed) + 1> counts{};
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    ++counts[static_cast<size_t>(state->health.state())];
  }
  counts[static_cast<size_t>(BackendStateName::starting)] += pending;
  const char* separator = ": ";
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += separator + std::to_string(counts[i]) + " ";
    text += to_string(static_cast<BackendStateName>(i));
    separator = ", ";
  }
  if (all == 0 && pending == 0) text += ": it has no backends";
  return text;
}

}  // namespace weir
