#include "lb/net/io_event.h"

namespace weir {

bool IoEvent::add(EventLoop& loop, int fd, Callback<Readiness> on_ready) {
  return add_with(loop, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_ready);
}

bool IoEvent::add_level_readable(EventLoop& loop, int fd, Callback<Readiness> on_ready) {
  return add_with(loop, fd, EV_READ | EV_PERSIST, on_ready);
}

bool IoEvent::add_with(EventLoop& loop, int fd, short flags, Callback<Readiness> on_ready) {
  loop_ = &loop;
  on_ready_ = on_ready;
  event_assign(&event_, loop.base(), fd, flags, &thunk, this);
  is_added_ = event_add(&event_, nullptr) == 0;
  return is_added_;
}

void IoEvent::remove() noexcept {
  if (!is_added_) return;
  event_del(&event_);
  is_added_ = false;
}

void IoEvent::thunk(evutil_socket_t, short what, void* self) {
  auto* event = static_cast<IoEvent*>(self);
  event->loop_->refresh_for_event();
  event->on_ready_(
      Readiness{(what & EV_READ) != 0, (what & EV_WRITE) != 0, (what & EV_CLOSED) != 0});
}

}  // namespace weir
