// The balancer under real threads: for ThreadSanitizer, and for lost wake-ups. No clock: a client
// that is never answered makes the test time out with a message.
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "lb/balance/balancer.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 4;
constexpr int kExchanges = 1500;  // of each client
constexpr int kClients = 5;       // of each thread
constexpr Duration kPatience = 60s;

class Ear final : public PlaceWaker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_one();
  }
  // False: nobody called for too long.
  bool listen() {
    std::unique_lock lock(mutex_);
    const bool was_woken = changed_.wait_for(lock, kPatience, [this] { return is_woken_; });
    is_woken_ = false;
    return was_woken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false;
};

struct Client {
  void on_answer() {
    ++answers;
    Result<Lease> answer = place.take_answer();
    if (answer) lease = std::move(*answer);
  }
  Place place{bind<&Client::on_answer>(this)};
  Lease lease;
  int answers = 0;
  int left = kExchanges;
};

// A worker: its clients ask in turn, hold a lease for a while, and give it back.
class Thread {
 public:
  Thread(Balancer& balancer, uint64_t seed) : balancer_(balancer), random_(seed) {}

  void run() {
    while (!is_done()) {
      bool is_stuck = true;
      for (Client& client : clients_) {
        if (client.left == 0 || client.place.is_waiting()) continue;
        is_stuck = false;
        step(client);
      }
      if (is_stuck && !ear_.listen()) {
        ADD_FAILURE() << "a place was never answered";
        return;
      }
      balancer_.collect(ear_);
    }
  }
  uint64_t leases = 0;
  uint64_t retries = 0;

 private:
  void step(Client& client) {
    if (client.lease) {
      ++leases;
      use(client.lease);
      client.lease = Lease();
      --client.left;
      return;
    }
    Result<std::optional<Lease>> answer = balancer_.ask({}, client.place, ear_, TimePoint(1s));
    if (answer && answer->has_value()) client.lease = std::move(**answer);
    if (!answer) --client.left;
    if (client.place.is_waiting() && random_() % 8 == 0) client.place.leave();
  }

  void use(Lease& lease) {
    lease.saw_byte(TimePoint(1s));
    const uint64_t fate = random_() % 8;
    if (fate < 4) lease.succeeded(TimePoint(1s));
    if (fate == 4) return;  // the client left
    if (fate > 4) lease.failed({ErrorKind::backend_closed}, TimePoint(1s));
    if (fate == 5 && balancer_.take_retry(TimePoint(1s))) ++retries;
    if (fate == 6) balancer_.retry_after(ErrorKind::queue_full, TimePoint(1s));
  }

  bool is_done() const {
    for (const Client& client : clients_) {
      if (client.left > 0) return false;
    }
    return true;
  }

  Balancer& balancer_;
  std::mt19937_64 random_;
  Ear ear_;
  std::array<Client, kClients> clients_;
};

BackendSet set_of(int count) {
  std::vector<BackendSpec> specs;
  for (int i = 0; i < count; ++i) {
    BackendSpec spec;
    spec.id = "b" + std::to_string(i);
    spec.address = {"127.0.0.1", static_cast<uint16_t>(1000 + i), false};
    spec.max_outstanding = 2;
    specs.push_back(spec);
  }
  return BackendSet(std::move(specs));
}

// Discovery, prober and operator, on a thread of their own. The first backend is always there.
void disturb(Balancer& balancer, const std::atomic<bool>& is_over) {
  for (int i = 0; !is_over.load(); ++i) {
    balancer.update(set_of(1 + i % 4), 1, TimePoint(1s));
    for (const BackendSnapshot& one : balancer.snapshot().backends) {
      using Kind = ProbeResult::Kind;
      const Kind kind = one.id != "b0" && i % 3 == 0 ? Kind::refused : Kind::answered;
      balancer.on_probe(one.serial, {kind, 200, 0}, TimePoint(1s));
    }
    balancer.set_draining("b1", i % 5 == 0, TimePoint(1s));
    balancer.expire(TimePoint(1s));
    balancer.watch(TimePoint(1s) + i * 10ms);
    std::this_thread::yield();
  }
}

class CountingObserver final : public BackendObserver {
 public:
  void on_backend_event(const BackendEvent& event) noexcept override {
    // Not atomic on purpose: the balancer says that events come one at a time.
    ++events;
    last = event.backend;
  }
  uint64_t events = 0;
  std::string last;
};

TEST(BalanceSimulationTest, ManyThreadsLoseNoPlaceAndNoLease) {
  CountingObserver observer;
  BalancerOptions options;
  options.waits_for_backends = true;
  options.health.eject_failures = 2;
  options.health.eject_base = 100ms;
  options.health.slow_start = 1s;
  options.health.stuck_after = 1s;
  Balancer balancer(options, &observer);
  balancer.update(set_of(1), 0, TimePoint(1s));
  std::vector<std::unique_ptr<Thread>> workers;
  for (int i = 0; i < kThreads; ++i) {
    workers.push_back(std::make_unique<Thread>(balancer, static_cast<uint64_t>(i + 1)));
  }
  std::atomic<bool> is_over{false};
  std::thread disturber([&] { disturb(balancer, is_over); });
  std::vector<std::thread> threads;
  for (auto& worker : workers) threads.emplace_back([&worker] { worker->run(); });
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  disturber.join();
  for (const auto& worker : workers) EXPECT_EQ(worker->leases, uint64_t{kExchanges} * kClients);
  EXPECT_EQ(balancer.outstanding(), 0U);
  EXPECT_EQ(balancer.waiting(), 0U);
}

}  // namespace
}  // namespace weir
