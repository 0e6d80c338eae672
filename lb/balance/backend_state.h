// One backend as the balancer sees it: what is written down about it, its health, its load, and its
// places in the structures of the balancer. Owned by BackendTable and by the leases out; guarded by
// the balancer's mutex, but for what is marked.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "lb/balance/backend_health.h"
#include "lb/balance/balancer.h"

namespace weir {

class BackendState : public std::enable_shared_from_this<BackendState> {
 public:
  BackendState(BackendSpec spec, BackendSerial serial, uint32_t slot,
               const BalancerOptions& options, TimePoint now);

  const BackendSerial serial;  // any thread
  const uint32_t slot;         // any thread

  const BackendSpec& spec() const { return *specs_.back(); }
  void set_spec(BackendSpec spec);  // the address stays
  void forget_old_specs();          // with no lease out only

  uint32_t cap() const { return cap_; }  // 0 = none
  uint32_t weight() const { return weight_; }
  bool is_full() const { return cap_ != 0 && outstanding >= cap_; }
  bool is_usable() const { return !is_removed && health.is_usable(tries_unprobed_); }

  // Any thread, without the mutex.
  std::optional<TimePoint> refusing_since() const;
  void set_refusing(bool refusing, TimePoint now);

  BackendHealth health;
  uint32_t outstanding = 0;
  uint64_t served = 0;
  uint64_t failures = 0;
  bool is_removed = false;        // only leases hold it now
  bool counts_as_usable = false;  // in Impl::usable_

  // Where the policy keeps it while it may be chosen.
  struct PolicyLinks {
    BackendState* previous = nullptr;
    BackendState* next = nullptr;
    size_t position = 0;  // a bucket's number, or an index in a vector
    uint32_t turns = 0;   // of round_robin
    bool is_in = false;
  } links;

 private:
  void read_spec();

  const uint32_t pool_cap_;
  const bool tries_unprobed_;
  // The last one is in force; leases hold pointers to older ones, so those stay until no lease is
  // out.
  std::vector<std::unique_ptr<const BackendSpec>> specs_;
  uint32_t cap_ = 0;
  uint32_t weight_ = 1;
  static constexpr TimePoint::rep kNotRefusing = TimePoint::min().time_since_epoch().count();
  std::atomic<TimePoint::rep> refusing_since_{kNotRefusing};
};

inline bool is_excluded(const Wish& wish, const BackendState& state) {
  for (const BackendSerial serial : wish.excluded) {
    if (serial == state.serial) return true;
  }
  return false;
}

}  // namespace weir
