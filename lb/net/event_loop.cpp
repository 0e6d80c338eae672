#include "lb/net/event_loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "weir/assert.h"

namespace weir {
namespace {

// A pass over the ready descriptors is bounded, so that timers and tasks get their turn (proxy
// techniques, 1.2).
constexpr int kEventsPerPass = 128;

event_base* new_base() {
  event_config* config = event_config_new();
  WEIR_ASSERT(config != nullptr);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
  event_config_set_max_dispatch_interval(config, nullptr, kEventsPerPass, 0);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  WEIR_ASSERT(base != nullptr);
  return base;
}

constexpr TimePoint kNever = TimePoint::max();

}  // namespace

Task::~Task() {
  const std::lock_guard lock(loop_.mutex_);
  if (!is_posted_) return;
  std::erase(loop_.posted_, this);
  std::ranges::replace(loop_.running_, this, static_cast<Task*>(nullptr));
}

void Task::post() {
  bool must_wake = false;
  {
    const std::lock_guard lock(loop_.mutex_);
    if (is_posted_) return;
    is_posted_ = true;
    must_wake = loop_.posted_.empty();
    loop_.posted_.push_back(this);
  }
  if (!must_wake) return;
  const uint64_t one = 1;
  // A full counter (EAGAIN) wakes the loop just as well.
  [[maybe_unused]] const ssize_t written = ::write(loop_.wake_fd_, &one, sizeof one);
}

EventLoop::EventLoop()
    : base_(new_base()),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      timers_(std::chrono::steady_clock::now()),
      armed_for_(kNever) {
  WEIR_ASSERT(wake_fd_ >= 0);
  event_assign(&wake_event_, base_, wake_fd_, EV_READ | EV_PERSIST | EV_ET, &on_wake_thunk, this);
  event_add(&wake_event_, nullptr);
  event_assign(&timer_event_, base_, -1, 0, &on_timer_thunk, this);
  event_assign(&sweep_event_, base_, -1, 0, &on_sweep_thunk, this);
}

EventLoop::~EventLoop() {
  sweep();
  event_del(&wake_event_);
  event_del(&timer_event_);
  event_del(&sweep_event_);
  event_base_free(base_);
  ::close(wake_fd_);
}

void EventLoop::run() {
  while (!stop_.load(std::memory_order_relaxed)) turn(EVLOOP_ONCE);
  stop_.store(false, std::memory_order_relaxed);
}

void EventLoop::run_once() {
  turn(EVLOOP_ONCE);
}

void EventLoop::turn(int flags) {
  arm_timer();
  events_until_refresh_ = 0;
  event_base_loop(base_, flags | EVLOOP_NO_EXIT_ON_EMPTY);
  refresh_for_event();  // the clock was read when there were events
  run_timers();
}

void EventLoop::stop() {
  stop_.store(true, std::memory_order_relaxed);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

TimePoint EventLoop::refresh_now() {
  timers_.set_now(std::chrono::steady_clock::now());
  return timers_.now();
}

void EventLoop::run_timers() {
  if (!timers_.is_empty() && timers_.next_due() <= timers_.now()) timers_.advance_to(timers_.now());
}

// libevent is told of the next timer only when it is earlier than what it waits for; a later one
// costs one early wake-up.
void EventLoop::arm_timer() {
  const TimePoint due = timers_.is_empty() ? kNever : timers_.next_due();
  if (due >= armed_for_) return;
  const auto wait = std::max(due - std::chrono::steady_clock::now(), Duration::zero());
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(wait).count() + 1;
  const timeval tv{static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
  event_add(&timer_event_, &tv);
  armed_for_ = due;
}

void EventLoop::on_timer_thunk(evutil_socket_t, short, void* self) {
  static_cast<EventLoop*>(self)->armed_for_ = kNever;  // turn() runs what is due
}

void EventLoop::on_wake_thunk(evutil_socket_t, short, void* self) {
  static_cast<EventLoop*>(self)->on_wake();
}

void EventLoop::on_wake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &count, sizeof count);
  refresh_now();
  run_tasks();
}

void EventLoop::run_tasks() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  // By index: a task may destroy others of this batch, which turns their entries to nullptr.
  for (size_t i = 0; i < running_.size(); ++i) {
    Task* task = nullptr;
    {
      const std::lock_guard lock(mutex_);
      task = running_[i];
      if (task == nullptr) continue;
      running_[i] = nullptr;
      task->is_posted_ = false;
    }
    task->run_();
  }
  running_.clear();
}

void EventLoop::schedule_sweep() {
  if (retired_.size() == 1) event_active(&sweep_event_, 0, 0);
}

void EventLoop::on_sweep_thunk(evutil_socket_t, short, void* self) {
  static_cast<EventLoop*>(self)->sweep();
}

void EventLoop::sweep() {
  while (!retired_.empty()) {
    std::vector<Retired> batch;
    batch.swap(retired_);
    for (const Retired& retired : batch) retired.destroy(retired.object);
  }
}

}  // namespace weir
