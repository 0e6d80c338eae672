// One thread's event loop over libevent: readiness, timers, deferred tasks, and the end of objects.
// Owned by its thread's top object; everything but stop() and Task::post() is for the loop's own
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "weir/callback.h"
#include "weir/timer.h"

namespace weir {

class EventLoop;

// Something to be done in a later turn of a loop. post() may be called from any thread and again
// before it ran (it then runs once). The destructor takes it off; destroy it on the loop's thread,
// and only when no other thread may still post.
class Task {
 public:
  Task(EventLoop& loop, Callback<> run) : loop_(loop), run_(run) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task();

  void post();

 private:
  friend class EventLoop;
  EventLoop& loop_;
  Callback<> run_;
  bool is_posted_ = false;  // guarded by the loop's mutex
};

class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  void run();       // until stop()
  void stop();      // any thread; the current turn is finished first
  void run_once();  // one turn, waiting for at most the next timer; for tests

  TimerQueue& timers() { return timers_; }

  // The time of this turn; read anew by every event that calls refresh_now().
  TimePoint now() const { return timers_.now(); }
  TimePoint refresh_now();
  // The same for events, of which a turn may have many in a row: reads the clock for the first one
  // and then for every eighth.
  void refresh_for_event() {
    if (events_until_refresh_-- > 0) return;
    events_until_refresh_ = kEventsPerRefresh - 1;
    refresh_now();
  }

  // Destroys the object at the end of this turn. It must have silenced its events and timers
  // (close()).
  template <typename T>
  void retire(std::unique_ptr<T> object) {
    if (!object) return;
    retired_.push_back({object.release(), [](void* p) { delete static_cast<T*>(p); }});
    schedule_sweep();
  }

  event_base* base() { return base_; }

 private:
  friend class Task;
  static constexpr int kEventsPerRefresh = 8;
  struct Retired {
    void* object;
    void (*destroy)(void*);
  };

  static void on_wake_thunk(evutil_socket_t, short, void* self);
  static void on_timer_thunk(evutil_socket_t, short, void* self);
  static void on_sweep_thunk(evutil_socket_t, short, void* self);
  void on_wake();
  void run_tasks();
  void run_timers();
  void arm_timer();
  void schedule_sweep();
  void sweep();
  void turn(int flags);

  event_base* base_;
  int wake_fd_;
  event wake_event_{};
  event timer_event_{};
  event sweep_event_{};
  TimerQueue timers_;
  int events_until_refresh_ = 0;
  TimePoint armed_for_{};  // what timer_event_ is armed for; max() = not armed
  std::vector<Retired> retired_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Task*> posted_;   // guarded by mutex_
  std::vector<Task*> running_;  // the batch being run; loop thread
};

}  // namespace weir
