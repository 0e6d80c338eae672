#include "weir/backend_set.h"

#include <algorithm>

namespace weir {

std::string_view to_string(BackendStateName state) noexcept {
  switch (state) {
    case BackendStateName::starting:
      return "starting";
    case BackendStateName::loading:
      return "loading";
    case BackendStateName::untried:
      return "untried";
    case BackendStateName::ready:
      return "ready";
    case BackendStateName::suspect:
      return "suspect";
    case BackendStateName::ejected:
      return "ejected";
    case BackendStateName::draining:
      return "draining";
    case BackendStateName::down:
      return "down";
    case BackendStateName::failed:
      return "failed";
  }
  return "unknown";
}

BackendSet::BackendSet(std::vector<BackendSpec> backends) : backends_(std::move(backends)) {
  std::ranges::stable_sort(backends_, {}, &BackendSpec::id);
  const auto doubles = std::ranges::unique(backends_, {}, &BackendSpec::id);
  backends_.erase(doubles.begin(), doubles.end());
}

const BackendSpec* BackendSet::find(std::string_view id) const {
  const auto it = std::ranges::lower_bound(backends_, id, {}, &BackendSpec::id);
  return it != backends_.end() && it->id == id ? &*it : nullptr;
}

BackendSetChange difference(const BackendSet& before, const BackendSet& after) {
  BackendSetChange change;
  for (const BackendSpec& spec : after.backends()) {
    const BackendSpec* old = before.find(spec.id);
    if (old == nullptr) {
      change.added.push_back(spec);
    } else if (*old != spec) {
      change.changed.push_back(spec);
    }
  }
  for (const BackendSpec& spec : before.backends()) {
    if (after.find(spec.id) == nullptr) change.removed.push_back(spec.id);
  }
  return change;
}

}  // namespace weir
