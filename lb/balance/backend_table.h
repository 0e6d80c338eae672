// The live states behind the current backend set, by id; they survive updates of the set.
// Balancer's mutex.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "weir/backend_set.h"

#include "lb/balance/backend_state.h"

namespace weir {

class BackendTable {
 public:
  // Takes over the new set. Ids that stay keep their state, unless the address is another one.
  // Returns the states that are gone, marked as removed.
  std::vector<std::shared_ptr<BackendState>> update(const BackendSet& set,
                                                    const BalancerOptions& options, TimePoint now);

  std::span<const std::shared_ptr<BackendState>> states() const { return states_; }
  BackendState* find(BackendSerial serial) const;
  BackendState* find(std::string_view id) const;

 private:
  uint32_t take_slot();

  std::vector<std::shared_ptr<BackendState>> states_;  // by id
  std::vector<bool> slots_;                            // taken
  BackendSerial last_serial_ = 0;
};

}  // namespace weir
