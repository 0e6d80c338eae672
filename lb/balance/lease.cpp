// Lease and Place: the two things of the balancer that an exchange holds.
#include "weir/assert.h"

#include "lb/balance/balancer_impl.h"

namespace weir {

Lease::Lease(Balancer* balancer, std::shared_ptr<BackendState> state, bool is_trial)
    : balancer_(balancer),
      state_(std::move(state)),
      spec_(&state_->spec()),
      epoch_(state_->epoch),
      is_trial_(is_trial) {}

Lease::Lease(Lease&& other) noexcept
    : balancer_(other.balancer_),
      state_(std::move(other.state_)),
      spec_(other.spec_),
      epoch_(other.epoch_),
      is_trial_(other.is_trial_),
      is_answering_(other.is_answering_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  balancer_ = other.balancer_;
  state_ = std::move(other.state_);
  spec_ = other.spec_;
  epoch_ = other.epoch_;
  is_trial_ = other.is_trial_;
  is_answering_ = other.is_answering_;
  return *this;
}

Lease::~Lease() {
  give_back();
}

void Lease::give_back() noexcept {
  if (!state_) return;
  if (is_answering_) state_->end_answer();
  balancer_->give_back(*this);
  state_.reset();
}

const BackendSpec& Lease::backend() const {
  WEIR_ASSERT(state_);
  return *spec_;
}

BackendSerial Lease::serial() const {
  WEIR_ASSERT(state_);
  return state_->serial;
}

uint32_t Lease::slot() const {
  WEIR_ASSERT(state_);
  return state_->slot;
}

void Lease::succeeded(TimePoint now) {
  WEIR_ASSERT(state_);
  balancer_->succeeded(*this, now);
}

void Lease::failed(const Error& error, TimePoint now) {
  WEIR_ASSERT(state_);
  balancer_->failed(*this, error, now);
}

void Lease::saw_byte(TimePoint now) noexcept {
  WEIR_ASSERT(state_);
  if (!is_answering_) {
    is_answering_ = true;
    state_->begin_answer();
  }
  state_->saw_byte(now, is_trial_);
}

std::optional<TimePoint> Lease::refusing_since() const {
  WEIR_ASSERT(state_);
  return state_->refusing_since();
}

Result<Lease> Place::take_answer() {
  WEIR_ASSERT(balancer_ == nullptr && is_answered_);
  is_answered_ = false;
  if (lease_) return std::move(lease_);
  return Error{refusal_};
}

void Place::leave() noexcept {
  if (balancer_ != nullptr) balancer_->leave(*this);
  lease_ = Lease();
}

}  // namespace weir
