#include "lb/balance/balancer.h"

#include "weir/assert.h"

#include "lb/balance/balancer_impl.h"

namespace weir {

Balancer::Balancer(BalancerOptions options, BackendObserver* observer)
    : options_(std::move(options)), impl_(std::make_unique<Impl>(*this, observer)) {}

Balancer::~Balancer() {
  WEIR_ASSERT(impl_->outstanding == 0 && impl_->room.is_empty() && !impl_->room.has_answered());
}

Result<std::optional<Lease>> Balancer::ask(const Wish& wish, Place& place, PlaceWaker& waker,
                                           TimePoint now) {
  WEIR_ASSERT(!place.is_waiting());
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  Result<std::optional<Lease>> answer = impl_->ask(wish, place, waker, now, after);
  bool begins_line = false;
  if (answer && !answer->has_value()) {
    place.balancer_ = this;
    begins_line = impl_->room.size() == 1;
  }
  lock.unlock();
  impl_->finish(after);
  if (begins_line && on_line_begun_) on_line_begun_();
  return answer;
}

void Balancer::collect(PlaceWaker& waker) {
  size_t left = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    left = impl_->room.answered(waker);
  }
  // One at a time, since on_answer may end other places of this worker; no more than there were,
  // for others have work too.
  bool has_more = true;
  for (; left > 0 && has_more; --left) {
    Place* place = nullptr;
    {
      const std::lock_guard lock(impl_->mutex);
      place = impl_->room.take_answered(waker);
      if (place != nullptr) place->balancer_ = nullptr;
    }
    has_more = place != nullptr;
    if (has_more) place->on_answer_();  // may destroy it
  }
  {
    const std::lock_guard lock(impl_->mutex);
    has_more = impl_->room.answered(waker) > 0;
  }
  if (has_more) waker.wake();
}

void Balancer::expire(TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->expire(now, after);
  lock.unlock();
  impl_->finish(after);
}

bool Balancer::take_retry(TimePoint now) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->budget.take(now);
}

Duration Balancer::retry_after(ErrorKind kind, TimePoint now) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->retry_after(kind, now);
}

Duration Balancer::watch(TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->watch(now, after);
  const Duration rest = impl_->until_next_watch(now);
  lock.unlock();
  impl_->finish(after);
  return rest;
}

void Balancer::update(const BackendSet& set, size_t pending, TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->update(set, pending, now, after);
  lock.unlock();
  impl_->finish(after);
}

void Balancer::on_probe(BackendSerial serial, const ProbeResult& result, TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  BackendState* state = impl_->table.find(serial);
  if (state == nullptr) return;  // removed while the probe was on its way
  impl_->on_probe(*state, result, now, after);
  lock.unlock();
  impl_->finish(after);
}

bool Balancer::set_draining(std::string_view id, bool draining, TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  BackendState* state = impl_->table.find(id);
  if (state == nullptr) return false;
  impl_->set_draining(*state, draining, now, after);
  lock.unlock();
  impl_->finish(after);
  return true;
}

void Balancer::succeeded(Lease& lease, TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->on_success(*lease.state_, lease.epoch_, now, after);
  lock.unlock();
  impl_->finish(after);
}

void Balancer::failed(Lease& lease, const Error& error, TimePoint now) {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->on_failure(*lease.state_, lease.epoch_, error, now, after);
  lock.unlock();
  impl_->finish(after);
}

void Balancer::give_back(Lease& lease) noexcept {
  Aftermath after;
  std::unique_lock lock(impl_->mutex);
  impl_->give_back(*lease.state_, lease.is_trial_, lease.epoch_, after);
  lock.unlock();
  impl_->finish(after);
}

void Balancer::leave(Place& place) noexcept {
  Lease unfetched;  // given back behind the lock
  {
    const std::lock_guard lock(impl_->mutex);
    unfetched = impl_->room.leave(place);
    place.balancer_ = nullptr;
    place.is_answered_ = false;
  }
}

PoolSnapshot Balancer::snapshot() const {
  const std::lock_guard lock(impl_->mutex);
  PoolSnapshot snapshot;
  snapshot.pool = options_.pool;
  snapshot.policy = options_.policy;
  snapshot.queue_limit = options_.queue_limit;
  snapshot.pending = impl_->pending;
  snapshot.waiting = impl_->room.size();
  if (snapshot.waiting > 0) snapshot.oldest_wait = impl_->room.front()->entered();
  for (const std::shared_ptr<BackendState>& state : impl_->table.states()) {
    const BackendSpec& spec = state->spec();
    BackendSnapshot one;
    one.id = spec.id;
    one.address = to_string(spec.address);
    one.serial = state->serial;
    one.slot = state->slot;
    one.state = state->state();
    one.reason = state->reason();
    one.since = state->since();
    one.outstanding = state->outstanding;
    one.answering = state->answering();
    one.max_outstanding = state->cap();
    one.weight = state->weight();
    one.served = state->served;
    one.failures = state->failures;
    one.ejections = state->ejection.times();
    one.share = state->share;
    one.is_held_back = state->is_usable() && !state->is_fit();
    one.is_tried = state->ejection.phase() == Ejection::Phase::on_trial;
    one.is_reluctant = state->is_reluctant();
    one.is_asked = one.is_reluctant && state->reluctance.is_asked_next();
    snapshot.backends.push_back(std::move(one));
  }
  return snapshot;
}

size_t Balancer::waiting() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->room.size();
}

bool Balancer::has_usable(const Wish& wish) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->fit > 0 ? impl_->has_fit(wish) : impl_->has_usable(wish);
}

size_t Balancer::ready() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->usable - impl_->ejected;
}

size_t Balancer::outstanding() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->outstanding;
}

std::string Balancer::describe_backends() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->describe();
}

}  // namespace weir
