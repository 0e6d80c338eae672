// What a Balancer says in words: the trace of a choice, and how its backends are.
#include <algorithm>
#include <array>

#include "lb/balance/balancer_impl.h"

namespace weir {

// "choose backend=b outstanding=1 fewest=1 of [a=2 b=1 c=4:full d=0:excluded e=0:ejected f=1:40%]":
// the usable backends before the choice, with why one is not, or not like the others, to be chosen;
// `fewest` is over those without such a mark, and the chosen one.
std::string Balancer::Impl::trace_choice(const BackendState& chosen, const Wish& wish) const {
  uint32_t fewest = chosen.outstanding;
  std::string all;
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    if (!state->counted.usable) continue;
    if (!all.empty()) all += ' ';
    all += state->spec().id + "=" + std::to_string(state->outstanding);
    if (state->is_full()) {
      all += ":full";
    } else if (is_excluded(wish, *state)) {
      all += ":excluded";
    } else if (!state->counted.fit) {
      all += state->ejection.is_out() ? ":ejected" : ":stuck";
    } else if (!state->counted.eager) {
      all += ":declined";
    } else if (state->share != kWholeShare) {
      all += ":" + std::to_string(state->share) + "%";
    } else {
      fewest = std::min(fewest, state->outstanding);
    }
  }
  return "choose backend=" + chosen.spec().id +
         " outstanding=" + std::to_string(chosen.outstanding) +
         " fewest=" + std::to_string(fewest) + " of [" + all + "]";
}

// " (about 90 s left)", if it is known how long loading takes.
std::string Balancer::Impl::time_left() const {
  const Duration left = estimate.until_loaded(loading_for(clock));
  return left == Duration::zero() ? "" : " (about " + in_words(left) + " left)";
}

std::string Balancer::Impl::describe() const {
  const std::string pool = "of pool " + options.pool;
  const size_t all = table.states().size();
  const size_t ready = usable - ejected;
  std::string text = ready == 0 ? "no backend " + pool + " is ready"
                                : std::to_string(ready) + " of " + std::to_string(all) +
                                      (all == 1 ? " backend " : " backends ") + pool +
                                      (ready == 1 ? " is ready" : " are ready");
  std::array<size_t, static_cast<size_t>(BackendStateName::failed) + 1> counts{};
  for (const std::shared_ptr<BackendState>& state : table.states()) {
    ++counts[static_cast<size_t>(state->state())];
  }
  counts[static_cast<size_t>(BackendStateName::starting)] += pending;
  const char* separator = ": ";
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += separator + std::to_string(counts[i]) + " ";
    text += to_string(static_cast<BackendStateName>(i));
    if (static_cast<BackendStateName>(i) == BackendStateName::loading) text += time_left();
    separator = ", ";
  }
  if (all == 0 && pending == 0) text += ": it has no backends";
  return text;
}

}  // namespace weir
