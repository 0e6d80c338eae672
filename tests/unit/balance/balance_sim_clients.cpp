// The simulated world's clients and workers.
#include <gtest/gtest.h>

#include "tests/unit/balance/balance_sim.h"

namespace weir::sim {

using namespace std::chrono_literals;

Totals& Totals::operator+=(const Totals& other) {
  steps += other.steps;
  leased += other.leased;
  succeeded += other.succeeded;
  failed += other.failed;
  retried += other.retried;
  waited += other.waited;
  refused += other.refused;
  timed_out += other.timed_out;
  left += other.left;
  served_late += other.served_late;
  return *this;
}

Worker::Worker(World& world) : world_(world), timer_(world.timers_, bind<&Worker::collect>(this)) {}

void Worker::settle() {
  if (world_.is_prompt_) {
    while (is_woken_) collect();
  } else if (is_woken_ && !timer_.is_armed()) {
    timer_.start(std::chrono::milliseconds(world_.below(300)));
  }
}

void Worker::collect() {
  is_woken_ = false;
  world_.balancer_.collect(*this);
}

Client::Client(World& world, Worker& worker)
    : world_(world),
      worker_(worker),
      place_(bind<&Client::on_answer>(this)),
      timer_(world.timers_, bind<&Client::on_timer>(this)),
      patience_(world.timers_, bind<&Client::lose_patience>(this)) {}

void Client::stop() {
  place_.leave();
  lease_ = Lease();
}

void Client::think() {
  phase_ = Phase::thinking;
  wish_ = {};
  sends_ = 0;
  timer_.start(world_.about(2 * world_.settings_.pace));
}

void Client::on_timer() {
  if (phase_ == Phase::thinking) {
    ask();
  } else {
    end_exchange();
  }
}

void Client::ask() {
  const PoolSnapshot before = world_.balancer_.snapshot();
  Result<std::optional<Lease>> answer =
      world_.balancer_.ask(wish_, place_, worker_, world_.timers_.now());
  if (!answer) {
    world_.check_refusal(before, *this, answer.error().kind);
    ++world_.totals_.refused;
    return think();
  }
  if (answer->has_value()) {
    lease_ = std::move(**answer);
    world_.check_choice(before, *this);
    return begin_exchange();
  }
  ++world_.totals_.waited;
  phase_ = Phase::waiting;
  number_ = ++world_.last_number_;
  world_.line_.push_back(this);
  if (world_.chance(0.3)) patience_.start(world_.about(world_.settings_.pace / 6));
}

void Client::on_answer() {
  if (phase_ != Phase::waiting) return world_.fail("an answer nobody waits for");
  patience_.cancel();
  Result<Lease> answer = place_.take_answer();
  if (answer) {
    lease_ = std::move(*answer);
    ++world_.totals_.served_late;
    world_.served_.push_back({number_, lease_.serial()});
  }
  world_.line_.remove(this);
  if (answer) return begin_exchange();
  ++(answer.error().kind == ErrorKind::queue_timeout ? world_.totals_.timed_out
                                                     : world_.totals_.refused);
  think();
}

void Client::lose_patience() {
  ++world_.totals_.left;
  world_.line_.remove(this);
  place_.leave();
  think();
}

void Client::begin_exchange() {
  ++world_.totals_.leased;
  ++world_.in_flight_;
  if (lease_.serial() >= world_.held_.size()) world_.held_.resize(lease_.serial() + 1);
  ++world_.held_[lease_.serial()];
  phase_ = Phase::exchanging;
  was_cut_ = false;
  const Backend* backend = world_.find(lease_.backend().id);
  if (backend == nullptr || backend->refuses()) {
    timer_.start(1ms);
    return;
  }
  ++sends_;
  const int slowness = backend->mode == Backend::Mode::up ? 1 : 5;
  timer_.start(world_.about(slowness * world_.settings_.pace));
}

void Client::on_backend_gone(const BackendId& id) {
  if (phase_ != Phase::exchanging || lease_.backend().id != id) return;
  was_cut_ = true;
  timer_.start(std::chrono::milliseconds(world_.below(50)));
}

void Client::end_exchange() {
  const Backend* backend = world_.find(lease_.backend().id);
  if (!was_cut_ && (backend == nullptr || backend->refuses())) {
    return try_again({ErrorKind::connect_refused}, Progress::not_sent);
  }
  if (was_cut_ || world_.chance(0.02)) {
    const bool is_stale = world_.chance(0.2);
    const bool has_begun = world_.chance(0.3);
    return try_again({ErrorKind::backend_closed, is_stale},
                     has_begun ? Progress::committed : Progress::sent);
  }
  if (world_.chance(0.9)) {
    lease_.succeeded(world_.timers_.now());
    ++world_.totals_.succeeded;
  } else {
    ++world_.totals_.left;  // the client left; nobody is told
  }
  give_back();
  think();
}

void Client::give_back() {
  --world_.in_flight_;
  --world_.held_[lease_.serial()];
  lease_ = Lease();
}

void Client::try_again(const Error& error, Progress progress) {
  ++world_.totals_.failed;
  lease_.failed(error, world_.timers_.now());
  RetrySituation situation{error, progress, sends_, 2, world_.chance(0.9), true};
  const RetryVerdict verdict = judge_retry(situation);
  if (verdict == RetryVerdict::elsewhere) {
    for (BackendSerial& excluded : wish_.excluded) {
      if (excluded != 0) continue;
      excluded = lease_.serial();
      break;
    }
  }
  give_back();
  if (verdict == RetryVerdict::give_up) return think();
  ++world_.totals_.retried;
  ask();
}

}  // namespace weir::sim
