#include "lb/net/signals.h"

#include "weir/assert.h"

namespace weir {

Signals::Signals(EventLoop& loop, std::initializer_list<int> numbers, Callback<int> on_signal)
    : loop_(loop), on_signal_(on_signal) {
  WEIR_ASSERT(numbers.size() <= kMost);
  for (const int number : numbers) {
    event* signal = &events_[count_++];
    event_assign(signal, loop.base(), number, EV_SIGNAL | EV_PERSIST, &thunk, this);
    event_add(signal, nullptr);
  }
}

Signals::~Signals() {
  for (size_t i = 0; i < count_; ++i) event_del(&events_[i]);
}

void Signals::thunk(evutil_socket_t number, short, void* self) {
  auto* signals = static_cast<Signals*>(self);
  signals->loop_.refresh_now();
  signals->on_signal_(static_cast<int>(number));
}

}  // namespace weir
