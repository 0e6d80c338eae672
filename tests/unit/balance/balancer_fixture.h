// A small language for tests of the balancer: backends by name, clients that hold leases or stand
// in line, virtual time. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lb/balance/balancer.h"

namespace weir {

// One exchange: asks, may wait, holds a lease.
class TestClient final : public PlaceWaker {
 public:
  explicit TestClient(Balancer& balancer) : balancer_(balancer) {}

  TestClient& asks(TimePoint now) {
    Result<std::optional<Lease>> answer = balancer_.ask(wish, place_, *this, now);
    if (!answer) {
      refusal = name(answer.error().kind);
    } else if (answer->has_value()) {
      lease = std::move(**answer);
    }
    return *this;
  }

  void wake() noexcept override { is_woken = true; }
  void collects() {
    is_woken = false;
    balancer_.collect(*this);
  }
  void leaves() { place_.leave(); }

  // "a", "waiting", or the name of the refusal.
  std::string state() {
    if (is_woken) collects();
    if (lease) return lease.backend().id;
    if (place_.is_waiting()) return "waiting";
    return std::string(refusal);
  }

  Wish wish;
  Lease lease;
  std::string_view refusal = "nothing";
  bool is_woken = false;

 private:
  void on_answer() {
    Result<Lease> answer = place_.take_answer();
    if (answer) {
      lease = std::move(*answer);
    } else {
      refusal = name(answer.error().kind);
    }
  }

  Balancer& balancer_;
  Place place_{bind<&TestClient::on_answer>(this)};
};

class BalancerTest : public testing::Test, public BackendObserver {
 protected:
  void TearDown() override { clients_.clear(); }

  // Before the first use of the balancer.
  BalancerOptions options;

  Balancer& balancer() {
    if (!balancer_) balancer_ = std::make_unique<Balancer>(options, this);
    return *balancer_;
  }

  // "a b c": the backends from now on, with the cap of the options.
  void backends(const std::string& ids, size_t pending = 0) {
    specs_.clear();
    for (size_t at = 0; at < ids.size(); at = ids.find_first_not_of(' ', at)) {
      const size_t end = std::min(ids.find(' ', at), ids.size());
      add_spec(ids.substr(at, end - at));
      at = end;
    }
    publish(pending);
  }
  void ready_backends(const std::string& ids) {
    backends(ids);
    for (const BackendSpec& spec : specs_) answers(spec.id, 200);
  }
  BackendSpec& spec(const std::string& id) {
    return *std::ranges::find(specs_, id, &BackendSpec::id);
  }
  void publish(size_t pending = 0) { balancer().update(BackendSet(specs_), pending, now); }

  void answers(const std::string& id, int status) {
    balancer().on_probe(serial(id), {ProbeResult::Kind::answered, status, 0}, now);
  }
  void refuses(const std::string& id) {
    balancer().on_probe(serial(id), {ProbeResult::Kind::refused, 0, 0}, now);
  }
  void times_out(const std::string& id) {
    balancer().on_probe(serial(id), {ProbeResult::Kind::timed_out, 0, 0}, now);
  }
  // A probe that began a second ago.
  void misses(const std::string& id) {
    balancer().on_probe(serial(id), {ProbeResult::Kind::timed_out, 0, 0, now - kProbe}, now);
  }
  void drains(const std::string& id, bool draining = true) {
    EXPECT_TRUE(balancer().set_draining(id, draining, now));
  }

  TestClient& client() { return *clients_.emplace_back(std::make_unique<TestClient>(balancer())); }
  TestClient& asks() { return client().asks(now); }
  TestClient& asks_without(const std::string& id) {
    TestClient& one = client();
    one.wish.excluded[0] = serial(id);
    return one.asks(now);
  }
  // One that may go to no other backend.
  TestClient& asks_for(const std::string& id) {
    TestClient& one = client();
    size_t excluded = 0;
    for (const BackendSpec& spec : specs_) {
      if (spec.id != id) one.wish.excluded.at(excluded++) = serial(spec.id);
    }
    return one.asks(now);
  }
  // So many requests at it fail, one after the other.
  void fails(const std::string& id, int times, ErrorKind kind = ErrorKind::backend_closed) {
    for (int i = 0; i < times; ++i) {
      TestClient& one = asks_for(id);
      ASSERT_EQ(one.state(), id);
      one.lease.failed({kind}, now);
      one.lease = Lease();
    }
  }
  void succeeds(const std::string& id) {
    TestClient& one = asks_for(id);
    ASSERT_EQ(one.state(), id);
    one.lease.succeeded(now);
    one.lease = Lease();
  }
  // Time goes by, and the balancer is told so every 100 ms.
  void passes(Duration span) {
    for (const TimePoint end = now + span; now < end;) {
      now += std::min<Duration>(std::chrono::milliseconds(100), end - now);
      balancer().watch(now);
    }
  }

  // The backends of `count` new clients, in order: "abca".
  std::string picks(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += asks().state();
    return out;
  }

  BackendSnapshot backend(const std::string& id) {
    for (BackendSnapshot& one : balancer().snapshot().backends) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << "no backend " << id;
    return {};
  }
  std::string state(const std::string& id) { return std::string(to_string(backend(id).state)); }
  BackendSerial serial(const std::string& id) { return backend(id).serial; }

  void on_backend_event(const BackendEvent& event) noexcept override {
    events += event.backend + ":" + std::string(to_string(event.from)) + ">" +
              std::string(to_string(event.to)) + " ";
  }

  static constexpr Duration kProbe = std::chrono::seconds(1);
  TimePoint now{std::chrono::hours(1)};
  std::string events;

 private:
  void add_spec(const std::string& id) {
    BackendSpec spec;
    spec.id = id;
    spec.address = {"127.0.0.1", static_cast<uint16_t>(8000 + id.front()), false};
    specs_.push_back(spec);
  }

  std::vector<BackendSpec> specs_;
  std::unique_ptr<Balancer> balancer_;
  std::vector<std::unique_ptr<TestClient>> clients_;
};

}  // namespace weir
