#include "discovery/replica_set.h"

#include <algorithm>

#include <fmt/core.h>

#include "weir/assert.h"

namespace weir {
namespace {

// All replicas got SIGTERM within this time: that is the job's end, not a mishap of some.
constexpr Duration kAtOnce = std::chrono::seconds(3);

}  // namespace

ReplicaSet::ReplicaSet(TimerQueue& timers, ReplicaStarter& starter, ReplicaPlan plan,
                       ReplicaSetOptions options, ReplicaObserver& observer)
    : timers_(timers),
      starter_(starter),
      options_(std::move(options)),
      observer_(observer),
      turn_(timers, bind<&ReplicaSet::on_turn>(this)) {
  ReplicaOwner& owner = *this;
  for (PlannedReplica& planned : plan.replicas) {
    replicas_.push_back(
        std::make_unique<Replica>(timers, starter, owner, std::move(planned), options_.replica));
  }
}

ReplicaSet::~ReplicaSet() = default;

void ReplicaSet::start(BackendSetSink& sink) {
  WEIR_ASSERT(state_ == State::idle);
  sink_ = &sink;
  state_ = State::running;
  wants_publish_ = true;
  later();
}

void ReplicaSet::later() {
  if (!turn_.is_armed()) turn_.start(Duration::zero());
}

void ReplicaSet::on_turn() {
  if (state_ == State::running && !has_started_) {
    has_started_ = true;  // afterwards each looks after itself
    for (const auto& replica : replicas_) replica->start();
  }
  if (wants_publish_) publish();
  if (state_ == State::stopping) {
    const bool all_over = std::all_of(replicas_.begin(), replicas_.end(),
                                      [](const auto& replica) { return replica->is_over(); });
    if (all_over) begin_sweep();
    return;
  }
  const bool none_left = std::all_of(replicas_.begin(), replicas_.end(), [](const auto& replica) {
    return replica->state() == ReplicaState::failed;
  });
  if (state_ == State::running && none_left && !has_said_all_failed_) {
    has_said_all_failed_ = true;
    observer_.on_all_failed();
  }
}

BackendSpec ReplicaSet::spec_of(const Replica& replica) const {
  BackendSpec spec;
  spec.id = replica.plan().id;
  spec.address.host = replica.status().host;
  spec.address.port = replica.status().port;
  spec.models = options_.models;
  spec.max_outstanding = options_.max_outstanding;
  spec.api_key = options_.api_key;
  return spec;
}

void ReplicaSet::publish() {
  wants_publish_ = false;
  if (sink_ == nullptr) return;
  std::vector<BackendSpec> backends;
  size_t pending = 0;
  for (const auto& replica : replicas_) {
    if (state_ != State::running) break;  // all go out of service
    if (replica->has_address()) {
      backends.push_back(spec_of(*replica));
    } else if (replica->may_still_come() || replica->state() == ReplicaState::stopping) {
      ++pending;
    }
  }
  auto set = std::make_shared<const BackendSet>(std::move(backends));
  if (published_ && *published_ == *set && published_pending_ == pending) return;
  published_ = set;
  published_pending_ = pending;
  sink_->publish(options_.source, std::move(set), pending);
}

void ReplicaSet::on_backend_event(const BackendEvent& event) {
  const auto found = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
    return replica->plan().id == event.backend;
  });
  if (found == replicas_.end()) return;
  if (event.to == BackendStateName::ready) {
    has_been_ready_ = true;
    (*found)->on_ready();
  } else if (event.to == BackendStateName::down) {
    (*found)->on_down(event.reason);
  }
}

void ReplicaSet::on_replica_changed(Replica& replica) {
  wants_publish_ = true;
  later();
  observer_.on_replica_change(replica.status());
}

void ReplicaSet::on_replica_terminated(Replica&) {
  if (state_ != State::running) return;
  if (terminated_ == 0 || timers_.now() - first_terminated_ > kAtOnce) {
    first_terminated_ = timers_.now();
    terminated_ = 0;
  }
  ++terminated_;
  const auto running = std::count_if(replicas_.begin(), replicas_.end(),
                                     [](const auto& replica) { return replica->is_running(); });
  if (terminated_ >= static_cast<size_t>(running)) {
    say_job_ends("every replica got SIGTERM at once: scancel, the job's time limit, or preemption");
  }
}

void ReplicaSet::on_replica_job_over(Replica& replica) {
  say_job_ends(fmt::format("replica {}: the job's allocation is gone", replica.plan().id));
}

void ReplicaSet::say_job_ends(std::string reason) {
  if (is_job_ending_ || state_ != State::running) return;
  is_job_ending_ = true;
  observer_.on_job_ending(reason);
}

void ReplicaSet::stop_all(Callback<const ReplicaSweep&> done) {
  on_stopped_ = done;
  if (state_ == State::stopping || state_ == State::sweeping) return;
  state_ = State::stopping;
  wants_publish_ = true;
  publish();  // out of service first, then down
  for (const auto& replica : replicas_) replica->stop();
  later();
}

void ReplicaSet::begin_sweep() {
  state_ = State::sweeping;
  starter_.sweep(bind<&ReplicaSet::on_swept>(this));
}

void ReplicaSet::on_swept(const ReplicaSweep& sweep) {
  state_ = State::stopped;
  sweep_ = sweep;
  on_stopped_(sweep_);
}

ReplicaCounts ReplicaSet::counts() const {
  ReplicaCounts counts;
  counts.planned = replicas_.size();
  for (const auto& replica : replicas_) {
    switch (replica->state()) {
      case ReplicaState::ready:
        ++counts.ready;
        break;
      case ReplicaState::waiting:
      case ReplicaState::starting:
      case ReplicaState::loading:
        ++counts.loading;
        break;
      case ReplicaState::failed:
        ++counts.failed;
        break;
      case ReplicaState::stopping:
      case ReplicaState::stopped:
        break;
    }
  }
  return counts;
}

const ReplicaStatus* ReplicaSet::find(std::string_view id) const {
  for (const auto& replica : replicas_) {
    if (replica->plan().id == id) return &replica->status();
  }
  return nullptr;
}

}  // namespace weir
