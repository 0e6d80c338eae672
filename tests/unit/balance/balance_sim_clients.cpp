// The simulated world's clients and workers.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/balance/balance_sim.h"

namespace weir::sim {

Totals& Totals::operator+=(const Totals& other) {
  constexpr size_t kCounts = sizeof(Totals) / sizeof(uint64_t);
  auto* mine = reinterpret_cast<uint64_t*>(this);
  const auto* theirs = reinterpret_cast<const uint64_t*>(&other);
  for (size_t i = 0; i < kCounts; ++i) mine[i] += theirs[i];
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

// About the next request.
void Client::think() {
  phase_ = Phase::thinking;
  wish_ = {};
  sends_ = deaths_ = 0;
  most_sends_ = world_.chance(0.2) ? 5 : 2;
  is_poison_ = world_.chance(0.003);
  is_streaming_ = world_.chance(0.8);
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
  if (lease_.serial() >= world_.held_.size()) {
    world_.held_.resize(lease_.serial() + 1);
    world_.last_byte_.resize(lease_.serial() + 1);
  }
  world_.most_held_ = std::max(world_.most_held_, ++world_.held_[lease_.serial()]);
  if (wish_.excluded[0] == 0) ++world_.first_leases_;
  if (deaths_ >= 2) world_.fail("a request that killed two was given to a third");
  look_at_backend();
  phase_ = Phase::exchanging;
  was_cut_ = false;
  plan_ = plan(world_.find(lease_.backend().id));
  if (plan_ != Plan::refused) ++sends_;
}

// Is this the one request that tries a backend? Only where it is known which state it was taken in.
void Client::look_at_backend() {
  trial_ = 0;
  if (!world_.is_prompt_) return;
  const PoolSnapshot pool = world_.balancer_.snapshot();
  const auto mine = std::ranges::find(pool.backends, lease_.serial(), &BackendSnapshot::serial);
  if (mine == pool.backends.end()) return;
  const bool has_fit = world_.has_fit_for(pool, *this);
  if (mine->share < 100) ++world_.totals_.started_slowly;
  if (mine->is_held_back && !has_fit) ++world_.totals_.last_resorts;
  if (!mine->is_tried) return;
  if (world_.has_trial_out(*mine)) {
    if (has_fit) world_.fail("a second request tries " + mine->id);
    return;
  }
  trial_ = mine->ejections;
  ++world_.totals_.tried;
}

Client::Plan Client::plan(const Backend* backend) {
  using Mode = Backend::Mode;
  const Duration pace = world_.settings_.pace;
  const Mode mode = backend == nullptr ? Mode::dead : backend->mode;
  Plan plan = Plan::works;
  if (backend == nullptr || backend->refuses()) plan = Plan::refused;
  if (mode == Mode::declining) plan = Plan::declined;
  if (mode == Mode::dropping || (mode == Mode::flaky && world_.chance(0.3))) plan = Plan::dropped;
  if (mode == Mode::hanging) plan = Plan::hangs;
  if (plan == Plan::works && is_poison_) plan = Plan::kills;
  if (plan == Plan::works) {
    timer_.start(world_.about(mode == Mode::slow ? 5 * pace : pace));
  } else {
    timer_.start(plan == Plan::hangs ? world_.about(3 * pace)
                                     : std::chrono::milliseconds(1 + world_.below(20)));
  }
  return plan;
}

void Client::on_backend_gone(const BackendId& id) {
  if (phase_ != Phase::exchanging || lease_.backend().id != id) return;
  was_cut_ = true;
  timer_.start(std::chrono::milliseconds(world_.below(50)));
}

void Client::on_backend_hangs(const BackendId& id) {
  if (phase_ != Phase::exchanging || lease_.backend().id != id || plan_ != Plan::works) return;
  plan_ = Plan::hangs;
  timer_.start(world_.about(3 * world_.settings_.pace));
}

void Client::send_bytes() {
  if (phase_ != Phase::exchanging || !is_streaming_ || was_cut_) return;
  if (plan_ != Plan::works && plan_ != Plan::hangs) return;
  const Backend* backend = world_.find(lease_.backend().id);
  if (backend == nullptr || !backend->sends()) return;
  lease_.saw_byte(world_.timers_.now());
  world_.last_byte_[lease_.serial()] = world_.timers_.now();
}

void Client::end_exchange() {
  Backend* backend = world_.find(lease_.backend().id);
  if (was_cut_) {
    const bool has_begun = world_.chance(0.3);
    return try_again({ErrorKind::backend_closed, world_.chance(0.2)},
                     has_begun ? Progress::committed : Progress::sent);
  }
  switch (plan_) {
    case Plan::refused:
      return try_again({ErrorKind::connect_refused}, Progress::not_sent);
    case Plan::declined:
      return try_again({ErrorKind::backend_declined}, Progress::response_begun);
    case Plan::dropped:
      return try_again({ErrorKind::backend_closed}, Progress::sent);
    case Plan::kills:
      plan_ = Plan::dropped;  // it is cut off, too, and by then this is what has happened
      if (backend != nullptr) world_.change_mode(*backend, Backend::Mode::dead);
      was_cut_ = false;
      timer_.start(1ms);
      return;
    case Plan::hangs:
      if (!world_.chance(0.3)) break;
      return try_again({ErrorKind::first_byte_timeout}, Progress::sent);
    case Plan::works:
      if (world_.chance(0.9)) lease_.succeeded(world_.timers_.now());
      ++world_.totals_.succeeded;
      give_back();
      return think();
  }
  ++world_.totals_.left;  // nobody is told
  give_back();
  think();
}

void Client::give_back() {
  --world_.in_flight_;
  --world_.held_[lease_.serial()];
  phase_ = Phase::thinking;
  lease_ = Lease();
}

void Client::try_again(const Error& error, Progress progress) {
  ++world_.totals_.failed;
  lease_.failed(error, world_.timers_.now());
  RetrySituation situation{error, progress, sends_, most_sends_, world_.chance(0.9), true, deaths_};
  const RetryVerdict verdict = judge_retry(situation);
  const bool is_stale = error.on_reused_connection && error.kind == ErrorKind::backend_closed;
  if (error.kind == ErrorKind::backend_closed && !is_stale && ++deaths_ == 2) {
    ++world_.totals_.poisoned;
  }
  if (verdict == RetryVerdict::elsewhere) {
    for (BackendSerial& excluded : wish_.excluded) {
      if (excluded != 0) continue;
      excluded = lease_.serial();
      break;
    }
  }
  give_back();
  if (!may_send_again(verdict, error, progress)) return think();
  ++world_.totals_.retried;
  ask();
}

bool Client::may_send_again(RetryVerdict verdict, const Error& error, Progress progress) {
  if (verdict == RetryVerdict::give_up || wish_.excluded.back() != 0) return false;
  if (progress == Progress::not_sent || verdict == RetryVerdict::same_or_other) return true;
  if (error.kind == ErrorKind::backend_declined) return true;
  if (!world_.balancer_.take_retry(world_.timers_.now())) {
    ++world_.totals_.out_of_budget;
    return false;
  }
  ++world_.second_sends_;
  return true;
}

}  // namespace weir::sim
