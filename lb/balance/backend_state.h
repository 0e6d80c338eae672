// One backend as the balancer sees it: what is written down about it, its health, its load, and its
// places in the structures of the balancer. Owned by BackendTable and by the leases out; guarded by
// the balancer's mutex, but for what is marked.
//
//   usable     probes and the operator let it be given work
//   held back  usable, but ejected for its failures or stuck: gets work where there is no other
//   fit        usable and not held back
//   reluctant  fit, but it declined a request: gets work where there is no other fit one
//   eager      fit and not reluctant
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "lb/balance/backend_health.h"
#include "lb/balance/balancer.h"
#include "lb/balance/ejection.h"
#include "lb/balance/reluctance.h"

namespace weir {

inline constexpr uint32_t kWholeShare = 100;  // percent of its weight that a backend is given
inline constexpr uint32_t kLeastShare = 10;   // of one that begins to come back

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
  uint64_t pull() const { return uint64_t{weight_} * share; }
  uint64_t load() const { return uint64_t{outstanding} * kWholeShare / pull(); }
  bool is_full() const { return cap_ != 0 && outstanding >= cap_; }

  bool is_usable() const { return !is_removed && health.is_usable(tries_unprobed_); }
  bool is_fit() const { return is_usable() && !ejection.is_out() && !is_stuck; }
  bool is_reluctant() const { return is_fit() && !reluctance.is_willing(); }
  // has_fit: there is a fit backend in the pool. A held-back one may be tried by one request.
  bool may_be_chosen(bool has_fit) const;

  // As people see it.
  BackendStateName state() const;
  const std::string& reason() const;
  TimePoint since() const;

  // Any thread, without the mutex.
  std::optional<TimePoint> refusing_since() const;
  void set_refusing(bool refusing, TimePoint now);
  void saw_byte(TimePoint now, bool of_trial) noexcept;
  TimePoint last_byte() const { return read(last_byte_); }
  TimePoint last_trial_byte() const { return read(last_trial_byte_); }
  // Of the outstanding exchanges, those whose answers have begun; with the mutex never more than
  // these.
  void begin_answer() noexcept { answering_.fetch_add(1, std::memory_order_relaxed); }
  void end_answer() noexcept { answering_.fetch_sub(1, std::memory_order_relaxed); }
  uint32_t answering() const { return answering_.load(std::memory_order_relaxed); }

  // A lease of it is taken, is given back.
  void take(TimePoint now);
  void give_back(bool was_trial, uint32_t lease_epoch);
  void eject(ErrorKind kind, TimePoint now);
  void pardon(TimePoint now);  // held back no more
  void begin_slow_start(TimePoint now);
  void end_slow_start();
  bool is_trial_next() const { return ejection.phase() == Ejection::Phase::on_trial && !trial_out; }

  BackendHealth health;
  Ejection ejection;
  Reluctance reluctance;
  uint32_t outstanding = 0;
  uint32_t share = kWholeShare;
  uint32_t epoch = 0;  // leases of an earlier one do not speak for it any more
  uint64_t served = 0;
  uint64_t failures = 0;
  bool is_removed = false;  // only leases hold it now
  bool trial_out = false;   // the one request that tries it when it is on trial
  TimePoint trial_began{};
  TimePoint holding_since{};  // without a break; when outstanding > 0

  // Holds requests and sends nothing while others do.
  bool is_stuck = false;
  TimePoint stuck_since{};
  std::string stuck_reason;

  bool owes_slow_start = false;  // it went away, and will come back
  std::optional<TimePoint> slow_since;

  // What Impl's counts have of it.
  struct Counted {
    bool usable = false;
    bool fit = false;
    bool eager = false;
    bool ejected = false;
    bool stuck = false;
  } counted;

  // Where the policy keeps it while it may be chosen.
  struct PolicyLinks {
    BackendState* previous = nullptr;
    BackendState* next = nullptr;
    size_t position = 0;  // a bucket's number, or an index in a vector
    uint32_t credit = 0;  // of round_robin
    bool is_in = false;
  } links;

 private:
  using Ticks = TimePoint::rep;
  static constexpr Ticks kNever = TimePoint::min().time_since_epoch().count();
  static constexpr Ticks kNewer = Duration(std::chrono::milliseconds(100)).count();

  void read_spec();
  static TimePoint read(const std::atomic<Ticks>& ticks) {
    return TimePoint(Duration(ticks.load(std::memory_order_relaxed)));
  }

  const uint32_t pool_cap_;
  const bool tries_unprobed_;
  // The last one is in force; leases hold pointers to older ones, so those stay until no lease is
  // out.
  std::vector<std::unique_ptr<const BackendSpec>> specs_;
  uint32_t cap_ = 0;
  uint32_t weight_ = 1;
  std::atomic<Ticks> refusing_since_{kNever};
  // Written by all workers at each read: on a line of their own, away from what the mutex guards.
  alignas(64) std::atomic<Ticks> last_byte_{kNever};
  std::atomic<Ticks> last_trial_byte_{kNever};
  std::atomic<uint32_t> answering_{0};
};

inline void BackendState::saw_byte(TimePoint now, bool of_trial) noexcept {
  const Ticks ticks = now.time_since_epoch().count();
  const Ticks last = last_byte_.load(std::memory_order_relaxed);
  if (last == kNever || ticks - last >= kNewer) last_byte_.store(ticks, std::memory_order_relaxed);
  if (of_trial) last_trial_byte_.store(ticks, std::memory_order_relaxed);
}

// A request's first lease.
inline bool is_without_exclusions(const Wish& wish) {
  return wish.excluded[0] == 0;
}

inline bool is_excluded(const Wish& wish, const BackendState& state) {
  for (const BackendSerial serial : wish.excluded) {
    if (serial == state.serial) return true;
  }
  return false;
}

}  // namespace weir
