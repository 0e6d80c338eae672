#include "lb/balance/backend_table.h"

#include <algorithm>

namespace weir {
namespace {

std::string_view id_of(const std::shared_ptr<BackendState>& state) {
  return state->spec().id;
}

}  // namespace

std::vector<std::shared_ptr<BackendState>> BackendTable::update(const BackendSet& set,
                                                                const BalancerOptions& options,
                                                                TimePoint now) {
  std::vector<std::shared_ptr<BackendState>> removed;
  for (const std::shared_ptr<BackendState>& state : states_) {
    const BackendSpec* spec = set.find(state->spec().id);
    if (spec != nullptr && spec->address == state->spec().address) {
      if (*spec != state->spec()) state->set_spec(*spec);
      continue;
    }
    state->is_removed = true;
    slots_[state->slot] = false;
    removed.push_back(state);
  }
  std::erase_if(states_, [](const auto& state) { return state->is_removed; });
  std::vector<std::shared_ptr<BackendState>> states;
  for (const BackendSpec& spec : set.backends()) {  // sorted by id, as states_ is
    const auto old = std::ranges::lower_bound(states_, std::string_view(spec.id), {}, id_of);
    if (old != states_.end() && id_of(*old) == spec.id) {
      states.push_back(*old);
    } else {
      states.push_back(
          std::make_shared<BackendState>(spec, ++last_serial_, take_slot(), options, now));
    }
  }
  states_ = std::move(states);
  return removed;
}

BackendState* BackendTable::find(BackendSerial serial) const {
  const auto it = std::ranges::find_if(
      states_, [serial](const auto& state) { return state->serial == serial; });
  return it == states_.end() ? nullptr : it->get();
}

BackendState* BackendTable::find(std::string_view id) const {
  const auto it = std::ranges::lower_bound(states_, id, {}, id_of);
  return it == states_.end() || id_of(*it) != id ? nullptr : it->get();
}

uint32_t BackendTable::take_slot() {
  auto free = std::ranges::find(slots_, false);
  if (free == slots_.end()) free = slots_.insert(slots_.end(), false);
  *free = true;
  return static_cast<uint32_t>(free - slots_.begin());
}

}  // namespace weir
