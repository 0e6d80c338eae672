// Lease and Place: the two things of the balancer that an exchange holds.
#include "weir/assert.h"

#include "lb/balance/balancer_impl.h"

namespace weir {

Lease::Lease(Balancer* balancer, std::shared_ptr<BackendState> state)
    : balancer_(balancer), state_(std::move(state)), spec_(&state_->spec()) {}

Lease::Lease(Lease&& other) noexcept
    : balancer_(other.balancer_), state_(std::move(other.state_)), spec_(other.spec_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  balancer_ = other.balancer_;
  state_ = std::move(other.state_);
  spec_ = other.spec_;
  return *this;
}

Lease::~Lease() {
  give_back();
}

void Lease::give_back() noexcept {
  if (state_) balancer_->give_back(std::move(state_));
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
  balancer_->succeeded(*state_, now);
}

void Lease::failed(const Error& error, TimePoint now) {
  WEIR_ASSERT(state_);
  balancer_->failed(*state_, error, now);
}

void Lease::saw_byte(TimePoint) noexcept {}

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
