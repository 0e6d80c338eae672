// A small world around a Balancer, in virtual time and out of one seed: backends that load, slow
// down, hang, freeze, drop or decline what they get, refuse, die, come back, move, are drained,
// added and removed; clients that ask, wait, lose patience, leave, are cut off and try again; and
// now and then a request that kills whatever works at it. After every step the invariants of the
// balancer are checked. One thread.
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lb/balance/balancer.h"
#include "lb/balance/retry.h"

namespace weir::sim {

using namespace std::chrono_literals;

inline constexpr Duration kWatchEvery = 1s;

struct Settings {
  uint64_t seed = 1;
  size_t clients = 1000;
  Duration length = std::chrono::hours(1);
  Duration pace = std::chrono::minutes(3);  // of an exchange and of thinking
};

struct Totals {
  uint64_t steps = 0;
  uint64_t leased = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t out_of_budget = 0;
  uint64_t waited = 0;
  uint64_t refused = 0;
  uint64_t timed_out = 0;
  uint64_t left = 0;
  uint64_t served_late = 0;  // from the line
  uint64_t ejected = 0;
  uint64_t tried = 0;  // the one request that tries an ejected backend
  uint64_t stuck = 0;
  uint64_t started_slowly = 0;
  uint64_t last_resorts = 0;  // given a held-back backend for want of another
  uint64_t poisoned = 0;      // requests that killed two

  Totals& operator+=(const Totals& other);
};

class World;

// One worker's ear: collects at once, or a little later (then answers pile up and are left behind
// unfetched).
class Worker final : public PlaceWaker {
 public:
  explicit Worker(World& world);
  void wake() noexcept override { is_woken_ = true; }
  void settle();  // behind every step

 private:
  void collect();
  World& world_;
  Timer timer_;
  bool is_woken_ = false;
};

// What really is at an address, whatever the balancer believes.
struct Backend {
  enum class Mode {
    loading,       // its port refuses
    busy_loading,  // it answers 503 to probes
    up,
    slow,
    flaky,      // fails a third of what it gets
    frozen,     // its probes time out, and it works
    hanging,    // its probes are answered, and nothing else
    dropping,   // closes whatever it is sent
    declining,  // is always busy
    dead,       // its port refuses
  };
  static constexpr uint64_t kModes = 10;
  BackendSpec spec;
  Mode mode = Mode::up;
  bool is_draining = false;

  bool refuses() const { return mode == Mode::loading || mode == Mode::dead; }
  bool sends() const { return !refuses() && mode != Mode::hanging; }
};

class Client {
 public:
  Client(World& world, Worker& worker);
  ~Client() { stop(); }
  void stop();
  void think();
  void on_backend_gone(const BackendId& id);
  void on_backend_hangs(const BackendId& id);
  void send_bytes();

  const Wish& wish() const { return wish_; }
  bool is_in_line() const { return place_.is_waiting(); }
  bool is_exchanging() const { return phase_ == Phase::exchanging; }
  // The one request that tries a backend, ejected for the so-many-th time.
  bool is_trial_of(const BackendSnapshot& one) const {
    return is_exchanging() && trial_ != 0 && trial_ == one.ejections &&
           lease_.serial() == one.serial;
  }
  uint64_t number() const { return number_; }
  TimePoint entered() const { return place_.entered(); }
  const Lease& lease() const { return lease_; }

 private:
  // What will become of the exchange.
  enum class Plan { refused, declined, dropped, hangs, works, kills };

  void on_timer();
  void ask();
  void on_answer();
  void begin_exchange();
  Plan plan(const Backend* backend);
  void look_at_backend();
  void end_exchange();
  void end_well();
  void give_back();
  void try_again(const Error& error, Progress progress);
  bool may_send_again(RetryVerdict verdict, const Error& error, Progress progress);
  void lose_patience();

  enum class Phase { thinking, waiting, exchanging };

  World& world_;
  Worker& worker_;
  Place place_;
  Timer timer_;     // thinking, exchanging
  Timer patience_;  // waiting
  Phase phase_ = Phase::thinking;
  Plan plan_ = Plan::works;
  Wish wish_;
  Lease lease_;
  uint64_t number_ = 0;  // in the line
  int sends_ = 0;
  int most_sends_ = 2;
  int deaths_ = 0;
  bool is_poison_ = false;
  bool is_streaming_ = false;
  bool was_cut_ = false;
  uint32_t trial_ = 0;
};

class World final : public BackendObserver {
 public:
  explicit World(const Settings& settings);
  ~World();
  void run();
  const Totals& totals() const { return totals_; }
  std::string describe() const;  // the options out of the seed

 private:
  friend class Client;
  friend class Worker;

  void on_backend_event(const BackendEvent& event) noexcept override;

  static BalancerOptions make_options(const Settings& settings, std::mt19937_64& random);
  uint64_t below(uint64_t limit) { return random_() % limit; }
  bool chance(double probability) {
    return static_cast<double>(below(1'000'000)) < probability * 1e6;
  }
  Duration about(Duration mean);

  Backend* find(const BackendId& id);
  void add_backend();
  void publish();
  void on_trouble();  // a timer: something happens to the backends
  void on_probe();
  void on_watch();
  void on_bytes();
  void change_mode(Backend& backend, Backend::Mode mode);

  // The invariants: balance_sim_checks.cpp.
  bool is_usable(const BackendSnapshot& one) const;
  bool is_fit(const BackendSnapshot& one) const;
  bool is_free_for(const PoolSnapshot& pool, const BackendSnapshot& one,
                   const Client& client) const;
  bool has_fit_for(const PoolSnapshot& pool, const Client& client) const;
  bool is_eager(const BackendSnapshot& one) const;
  bool has_eager_for(const PoolSnapshot& pool, const Client& client) const;
  bool is_open_to_one(const BackendSnapshot& one) const;
  bool has_trial_out(const BackendSnapshot& one) const;
  void check();
  void check_held_back(const PoolSnapshot& pool);
  void check_line(const PoolSnapshot& pool);
  void check_counts(const PoolSnapshot& pool);
  void check_choice(const PoolSnapshot& before, const Client& client);
  void check_refusal(const PoolSnapshot& before, const Client& client, ErrorKind why);
  void check_order(const PoolSnapshot& pool);
  void check_budget();
  void fail(const std::string& what);

  const Settings settings_;
  std::mt19937_64 random_;
  BalancerOptions options_;
  const bool is_prompt_;  // workers collect at once: then the line is known exactly
  TimerQueue timers_;
  Balancer balancer_;
  std::array<std::unique_ptr<Worker>, 4> workers_;
  std::map<BackendId, Backend> backends_;
  int next_name_ = 0;
  size_t next_probe_ = 0;
  size_t pending_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::list<Client*> line_;  // who waits, in the order of coming
  struct Served {
    uint64_t number;
    BackendSerial backend;
  };
  std::vector<Served> served_;  // from the line, in this step
  uint64_t last_number_ = 0;
  std::vector<uint32_t> held_;        // exchanges in flight, by the serial of their backend
  std::vector<TimePoint> last_byte_;  // by the same
  size_t in_flight_ = 0;
  uint64_t first_leases_ = 0;
  uint64_t second_sends_ = 0;
  uint32_t most_held_ = 0;
  Timer trouble_;
  Timer probe_;
  Timer watch_;
  Timer bytes_;
  Totals totals_;
  bool has_failed_ = false;
};

}  // namespace weir::sim
