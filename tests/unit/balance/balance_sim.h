// A small world around a Balancer, in virtual time and out of one seed: backends that load, slow
// down, hang, refuse, die, come back, move, are drained, added and removed; clients that ask, wait,
// lose patience, leave, are cut off and try again. After every step the invariants of the balancer
// are checked. One thread.
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
  uint64_t waited = 0;
  uint64_t refused = 0;
  uint64_t timed_out = 0;
  uint64_t left = 0;
  uint64_t served_late = 0;  // from the line

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
  enum class Mode { loading, busy_loading, up, slow, hanging, dead };
  BackendSpec spec;
  Mode mode = Mode::up;
  bool is_draining = false;

  bool refuses() const { return mode == Mode::loading || mode == Mode::dead; }
};

class Client {
 public:
  Client(World& world, Worker& worker);
  ~Client() { stop(); }
  void stop();
  void think();
  void on_backend_gone(const BackendId& id);

  const Wish& wish() const { return wish_; }
  bool is_in_line() const { return place_.is_waiting(); }
  uint64_t number() const { return number_; }
  TimePoint entered() const { return place_.entered(); }
  const Lease& lease() const { return lease_; }

 private:
  void on_timer();
  void ask();
  void on_answer();
  void begin_exchange();
  void end_exchange();
  void give_back();
  void try_again(const Error& error, Progress progress);
  void lose_patience();

  enum class Phase { thinking, waiting, exchanging };

  World& world_;
  Worker& worker_;
  Place place_;
  Timer timer_;     // thinking, exchanging
  Timer patience_;  // waiting
  Phase phase_ = Phase::thinking;
  Wish wish_;
  Lease lease_;
  uint64_t number_ = 0;  // in the line
  int sends_ = 0;
  bool was_cut_ = false;
};

class World {
 public:
  explicit World(const Settings& settings);
  ~World();
  void run();
  const Totals& totals() const { return totals_; }
  std::string describe() const;  // the options out of the seed

 private:
  friend class Client;
  friend class Worker;

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
  void on_expire();
  void change_mode(Backend& backend);

  bool is_usable(const BackendSnapshot& one) const;
  bool is_free(const BackendSnapshot& one) const;
  void check();
  void check_line(const PoolSnapshot& pool);
  void check_counts(const PoolSnapshot& pool);
  void check_choice(const PoolSnapshot& before, const Client& client);
  void check_refusal(const PoolSnapshot& before, const Client& client, ErrorKind why);
  void check_order();
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
  size_t pending_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::list<Client*> line_;  // who waits, in the order of coming
  struct Served {
    uint64_t number;
    BackendSerial backend;
  };
  std::vector<Served> served_;  // from the line, in this step
  uint64_t last_number_ = 0;
  std::vector<uint32_t> held_;  // exchanges in flight, by the serial of their backend
  size_t in_flight_ = 0;
  Timer trouble_;
  Timer probe_;
  Timer expire_;
  Totals totals_;
  bool has_failed_ = false;
};

}  // namespace weir::sim
