#include "lb/backend/backend_connection.h"

#include <errno.h>

#include "weir/assert.h"

namespace weir {
namespace {

ErrorKind connect_error_kind(int os_error) {
  if (os_error == ECONNREFUSED || os_error == ENOENT) return ErrorKind::connect_refused;
  if (os_error == ETIMEDOUT) return ErrorKind::connect_timeout;
  return ErrorKind::connect_failed;
}

}  // namespace

BackendConnection::BackendConnection(EventLoop& loop, BlockPool& blocks, BackendSerial serial,
                                     uint32_t slot)
    : loop_(loop),
      stream_(loop, blocks),
      slot_(slot),
      serial_(serial),
      timeout_(loop.timers(), bind<&BackendConnection::on_timeout>(this)),
      start_failed_(loop, bind<&BackendConnection::on_start_failed>(this)) {}

void BackendConnection::connect(SocketAddresses addresses, Duration timeout,
                                BackendConnectionUser& user) {
  WEIR_ASSERT(state_ == State::closed);
  state_ = State::connecting;
  user_ = &user;
  uses_ = 1;
  addresses_ = std::move(addresses);
  next_address_ = 0;
  last_error_ = Error{ErrorKind::connect_failed, false, 0};
  timeout_.start(timeout);
  try_next_address();
}

void BackendConnection::try_next_address() {
  stream_.close();
  while (addresses_ && next_address_ < addresses_->size()) {
    Result<UniqueFd> fd = begin_connect((*addresses_)[next_address_++]);
    if (!fd) {
      last_error_ = fd.error();
      continue;
    }
    if (stream_.open(std::move(*fd), bind<&BackendConnection::on_ready>(this))) return;
    last_error_ = Error{ErrorKind::internal, false, ENOSPC};
  }
  start_failed_.post();  // never from within connect()
}

void BackendConnection::on_ready(Readiness readiness) {
  const bool has_input = readiness.readable || readiness.hangup;
  if (state_ == State::busy && !readiness.writable && has_input) {  // most of the time
    user_->on_backend_readable();
    return;
  }
  switch (state_) {
    case State::connecting:
      on_connect_event();
      return;
    case State::idle:
      on_idle_event_(this);
      return;
    case State::busy:
      break;
    case State::closed:
      return;
  }
  BackendConnectionUser* user = user_;
  if (readiness.writable) user->on_backend_writable();
  // The first call may have closed us; retired objects live until the end of the turn.
  if (state_ == State::busy && user == user_ && has_input) {
    user->on_backend_readable();
  }
}

void BackendConnection::on_connect_event() {
  const int os_error = connect_result(stream_.fd());
  if (os_error != 0) {
    last_error_ = Error{connect_error_kind(os_error), false, os_error};
    try_next_address();
    return;
  }
  timeout_.cancel();
  addresses_.reset();
  state_ = State::busy;
  user_->on_backend_connected();
}

void BackendConnection::on_timeout() {
  fail(Error{ErrorKind::connect_timeout, false, ETIMEDOUT});
}

void BackendConnection::on_start_failed() {
  fail(last_error_);
}

void BackendConnection::fail(const Error& error) {
  BackendConnectionUser* user = user_;
  close();
  user->on_backend_failed(error);
}

void BackendConnection::take(BackendConnectionUser& user) {
  WEIR_ASSERT(state_ == State::idle);
  state_ = State::busy;
  user_ = &user;
  ++uses_;
}

void BackendConnection::make_idle(Callback<BackendConnection*> on_event, TimePoint now) {
  WEIR_ASSERT(state_ == State::busy);
  state_ = State::idle;
  user_ = nullptr;
  on_idle_event_ = on_event;
  idle_since_ = now;
}

void BackendConnection::close() noexcept {
  state_ = State::closed;
  user_ = nullptr;
  timeout_.cancel();
  stream_.close();
}

}  // namespace weir
