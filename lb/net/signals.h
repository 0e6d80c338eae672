// Signals as callbacks of a loop. One object a process; it lives as long as its loop (freeing a
// signal event in its own callback is not safe in libevent). Loop thread only.
#pragma once

#include <array>
#include <initializer_list>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "weir/callback.h"

#include "lb/net/event_loop.h"

namespace weir {

class Signals {
 public:
  // on_signal hears the number of each of `numbers` that arrives.
  Signals(EventLoop& loop, std::initializer_list<int> numbers, Callback<int> on_signal);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  static constexpr size_t kMost = 8;
  static void thunk(evutil_socket_t number, short what, void* self);

  std::array<event, kMost> events_{};
  size_t count_ = 0;
  EventLoop& loop_;
  Callback<int> on_signal_;
};

}  // namespace weir
