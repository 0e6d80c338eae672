// The one balancing structure of a pool, shared by all workers: exact outstanding counts, the
// waiting room and health state under one short mutex (13-18 ns a choice). Decides only: no I/O, no
// clock, no loop; every function that needs time takes `now`. Thread-safe, except that a Place
// belongs to its worker.
//
//   ask ──▶ leased ────────────────▶ Lease's destructor gives it back
//    │                                   │ the freed capacity goes to the front of the line
//    └────▶ in line (Place) ──▶ granted ─┘ or refused (timed out, nothing left to wait for)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/backend_set.h"
#include "weir/callback.h"
#include "weir/error.h"
#include "weir/observer.h"
#include "weir/policy_name.h"
#include "weir/result.h"
#include "weir/timer.h"

namespace weir {

class Balancer;
class BackendState;  // one backend as the balancer sees it; backend_state.h, private to lb/balance

struct HealthOptions {
  int rise = 1;                 // good probes in a row until ready
  int fall = 3;                 // bad ones until down; a refused connection takes it down at once
  uint32_t eject_failures = 5;  // gateway-class ones in a row that take it out; 0 = never
  Duration eject_base = std::chrono::seconds(10);  // the first time; twice as long each time after
  Duration eject_most = std::chrono::minutes(5);
  Duration slow_start{};   // of a backend that comes back; 0 = none
  Duration stuck_after{};  // no byte for so long while its peers send: suspect; 0 = never
};

struct BalancerOptions {
  std::string pool = "default";
  PolicyName policy = PolicyName::least_outstanding;
  uint32_t max_outstanding = 0;     // of a backend whose spec says nothing; 0 = no cap
  size_t queue_limit = ~size_t{0};  // places in the waiting room; ~0 = bounded by memory only
  Duration queue_timeout{};         // 0 = as long as it takes
  bool waits_for_backends = false;  // launch: wait while any is starting, loading or pending
  bool tries_unprobed = true;       // a backend that has not been probed yet may be given work
  HealthOptions health;
  double retry_budget = 0.2;  // second sends per request, in the long run
  uint64_t seed = 1;          // of random and two_choices
};

// Names a backend for as long as the process lives; never used again for another one. 0 = none.
using BackendSerial = uint64_t;

// The right to one unit of a backend's capacity. Taken at the moment of choice, given back by the
// destructor, on every path.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  explicit operator bool() const { return state_ != nullptr; }
  const BackendSpec& backend() const;  // stays as it was leased, also when the set changes
  BackendSerial serial() const;
  // Small, for arrays by backend; reused after the backend is gone, so compare the serial.
  uint32_t slot() const;

  // The exchange's outcome, told once at most, before the lease goes. Untold (the client left):
  // neutral.
  void succeeded(TimePoint now);
  void failed(const Error& error, TimePoint now);  // counts against health if the kind does

  // A part of an answer came from the backend: it lives and works, and from the first one on this
  // exchange counts as answering. Lock-free and cheap; for every read. Not for what an engine that
  // hangs sends as well: the head of an event stream, comments.
  void saw_byte(TimePoint now) noexcept;

  // Since when the backend's port has been refusing connections; nullopt = it is not. Lock-free.
  std::optional<TimePoint> refusing_since() const;

 private:
  friend class Balancer;
  Lease(Balancer* balancer, std::shared_ptr<BackendState> state, bool is_trial);
  void give_back() noexcept;

  Balancer* balancer_ = nullptr;
  std::shared_ptr<BackendState> state_;
  const BackendSpec* spec_ = nullptr;  // kept by the state
  uint32_t epoch_ = 0;                 // of the backend when it was taken
  bool is_trial_ = false;              // it tries a backend that was ejected
  bool is_answering_ = false;          // counted as such in its state
};

// A worker's ear: told (from any thread) that some of its places have been answered; it then calls
// Balancer::collect on its own thread. wake() must be cheap and thread-safe (Task::post). It
// is called without the balancer's mutex, so a waker must outlive the calls of other threads into
// the balancer: join the workers before any of them is destroyed.
class PlaceWaker {
 public:
  virtual void wake() noexcept = 0;

 protected:
  ~PlaceWaker() = default;
};

// What an exchange will not take.
struct Wish {
  std::array<BackendSerial, 8> excluded{};  // backends that failed this request already; 0 = unused
};

// An exchange's place in line; its destructor leaves the line (and gives back a lease that was
// granted but not fetched). Owned by the exchange, which must have left before the waker goes.
class Place {
 public:
  // on_answer runs on the worker's thread, from Balancer::collect: then answer() has the lease or
  // the refusal.
  explicit Place(Callback<> on_answer) : on_answer_(on_answer) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { leave(); }

  bool is_waiting() const { return balancer_ != nullptr; }
  TimePoint entered() const { return entered_; }
  Result<Lease> take_answer();  // in on_answer, once
  void leave() noexcept;

 private:
  friend class Balancer;
  friend class WaitingRoom;
  Callback<> on_answer_;
  Balancer* balancer_ = nullptr;  // while in line or answered and not yet fetched
  PlaceWaker* waker_ = nullptr;
  Wish wish_;
  TimePoint entered_{};
  TimePoint deadline_{};
  Place* previous_ = nullptr;  // in the line, or in the list of answered places
  Place* next_ = nullptr;
  bool is_answered_ = false;
  Lease lease_;
  ErrorKind refusal_ = ErrorKind::internal;
};

// What a probe found.
struct ProbeResult {
  enum class Kind : uint8_t { answered, refused, timed_out, failed } kind = Kind::failed;
  int status = 0;     // when answered
  int os_error = 0;   // when failed
  TimePoint began{};  // bytes since then outweigh a miss; 0 = unknown
};

struct BackendSnapshot {
  BackendId id;
  std::string address;
  BackendSerial serial = 0;
  uint32_t slot = 0;
  BackendStateName state = BackendStateName::untried;
  std::string reason;  // "probe: connection refused"
  TimePoint since{};
  uint32_t outstanding = 0;
  uint32_t answering = 0;        // of these, whose answers have begun
  uint32_t max_outstanding = 0;  // 0 = no cap
  uint32_t weight = 1;
  uint64_t served = 0;  // exchanges that succeeded
  uint64_t failures = 0;
  uint32_t ejections = 0;
  uint32_t share = 100;       // percent of its weight; less while it starts slowly
  bool is_held_back = false;  // ejected or stuck: gets work only where there is no other
  bool is_tried = false;      // ejected, and its trial is out or due
  bool is_reluctant = false;  // fit, but it declined: gets work where there is no other fit one
  bool is_asked = false;      // reluctant, and the next request may go to it all the same
};

struct PoolSnapshot {
  std::string pool;
  PolicyName policy = PolicyName::least_outstanding;
  std::vector<BackendSnapshot> backends;
  size_t waiting = 0;
  size_t queue_limit = 0;
  TimePoint oldest_wait{};  // when waiting > 0
  size_t pending = 0;       // backends that may still come
};

class Balancer {
 public:
  explicit Balancer(BalancerOptions options, BackendObserver* observer = nullptr);
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;
  ~Balancer();  // no lease and no place may be left

  // A lease at once; or nullopt: `place` is now in line and will be answered; or why there is no
  // point in waiting: queue_full, backends_loading, no_backend_ready. Fair: nobody overtakes those
  // in line that could take the same backend.
  Result<std::optional<Lease>> ask(const Wish& wish, Place& place, PlaceWaker& waker,
                                   TimePoint now);

  // Runs on_answer of the answered places of this waker. On the worker's thread, after wake().
  void collect(PlaceWaker& waker);

  // Answers places whose patience is over with queue_timeout. Call as often as watch().
  void expire(TimePoint now);

  // May a request be sent a second time? Takes one from the retry budget; false: it is spent. Not
  // to be asked where nothing went out, or only into a connection that its backend had closed.
  [[nodiscard]] bool take_retry(TimePoint now);

  // How long a client that was refused for `kind` does well to stay away, estimated from the line
  // and from earlier loads. Zero = no estimate. Whoever says it jitters it.
  Duration retry_after(ErrorKind kind, TimePoint now) const;

  // Now and then: ends ejections and slow starts, looks for backends that are stuck. Returns how
  // soon it wants to be called again: 100 ms while anything moves, up to a second while nothing
  // does.
  Duration watch(TimePoint now);
  // Called when somebody enters an empty line: he who sleeps longer than 100 ms must be up now.
  // From any thread, without the mutex. Before there are threads.
  void set_on_line_begun(Callback<> on_line_begun) { on_line_begun_ = on_line_begun; }

  // The backends from now on. Ids that stay keep their state, unless their address changed (then
  // they are new: new serial). Leases of removed ones run on. `pending`: how many more may still
  // come.
  void update(const BackendSet& set, size_t pending, TimePoint now);

  void on_probe(BackendSerial serial, const ProbeResult& result, TimePoint now);
  // false: no such backend.
  bool set_draining(std::string_view id, bool draining, TimePoint now);

  PoolSnapshot snapshot() const;
  // Is there a backend to be given work, at its cap or not, that the wish does not exclude? Those
  // that are held back do not count where there are others: a busy backend's word is worth more.
  bool has_usable(const Wish& wish) const;
  size_t waiting() const;
  size_t ready() const;        // backends that are given work, whether at their cap or not
  size_t outstanding() const;  // leases out, of removed backends too
  const BalancerOptions& options() const { return options_; }

  // "no backend of pool default is ready: 5 loading, 3 down", for error messages and logs.
  std::string describe_backends() const;

 private:
  friend class Lease;
  friend class Place;
  struct Impl;
  void succeeded(Lease& lease, TimePoint now);
  void failed(Lease& lease, const Error& error, TimePoint now);
  void give_back(Lease& lease) noexcept;
  void leave(Place& place) noexcept;

  BalancerOptions options_;
  std::unique_ptr<Impl> impl_;
  Callback<> on_line_begun_;
};

}  // namespace weir
