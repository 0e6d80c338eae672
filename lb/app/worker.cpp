#include "lb/app/worker.h"

#include <sched.h>

#include <algorithm>

#include "weir/assert.h"
#include "weir/log.h"

#include "lb/net/thread_without_signals.h"

namespace weir {
namespace {

// Four carry a quarter of a million chunks a second: more than the replicas of one pool make.
constexpr uint32_t kMostByDefault = 4;

}  // namespace

// Turns the balancer's wake, from any thread, into a turn of the worker's loop.
class Worker::Waker final : public PlaceWaker {
 public:
  Waker(EventLoop& loop, Balancer& balancer)
      : balancer_(balancer), task_(loop, bind<&Waker::on_turn>(this)) {}
  void wake() noexcept override { task_.post(); }

 private:
  void on_turn() { balancer_.collect(*this); }
  Balancer& balancer_;
  Task task_;
};

Worker::Worker(WorkerShare& share, WorkerObserver& observer, EventLoop* main_loop)
    : share_(share),
      observer_(observer),
      own_loop_(main_loop == nullptr ? std::make_unique<EventLoop>() : nullptr),
      loop_(main_loop == nullptr ? *own_loop_ : *main_loop),
      pool_(loop_, blocks_, share.addresses, share.pool),
      waker_(std::make_unique<Waker>(loop_, share.balancer)),
      context_(loop_, share.balancer, pool_, *waker_, observer, share.options, share.replay,
               share.output),
      order_(loop_, bind<&Worker::follow_phase>(this)) {
  context_.gate = share.gate;
  context_.on_trouble = share.on_trouble;
  context_.on_lag = bind<&Worker::on_lag>(this);
}

Worker::~Worker() {
  WEIR_ASSERT(!thread_.joinable());
}

void Worker::listen(std::shared_ptr<ListeningSocket> socket) {
  listeners_.push_back(std::make_unique<Listener>(context_, std::move(socket), share_.clients));
}

void Worker::start() {
  if (own_loop_) thread_ = thread_without_signals([this] { loop_.run(); });
}

void Worker::set_phase(Phase phase) {
  wanted_.store(phase);
  if (own_loop_) {
    order_.post();
  } else {
    follow_phase();
  }
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::follow_phase() {
  const Phase wanted = wanted_.load();
  if (wanted == followed_.load()) return;
  enter(wanted);
  followed_.store(wanted);
}

void Worker::enter(Phase phase) {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    switch (phase) {
      case Phase::paused:
        listener->stop_accepting();
        break;
      case Phase::accepting:
        if (!listener->start()) log_error("cannot watch a listening socket");
        break;
      case Phase::draining:
        context_.is_draining = true;
        listener->drain();
        break;
      case Phase::stopped:
        listener->close_all();
        break;
    }
  }
  if (phase == Phase::draining || phase == Phase::stopped) pool_.close_idle();
  if (phase == Phase::stopped && own_loop_) loop_.stop();
}

uint32_t default_worker_count() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::clamp(static_cast<uint32_t>(CPU_COUNT(&allowed)), 1U, kMostByDefault);
}

}  // namespace weir
