// How a client's connection ends, or goes on to its next request. The other half of
// client_connection.cpp.
#include "weir/assert.h"

#include "lb/http/error_response.h"
#include "lb/proxy/client_connection.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr size_t kMostDiscarded = 64 * 1024 * 1024;
constexpr int kDiscardsPerTurn = 16;
constexpr Duration kLinger = std::chrono::seconds(2);

}  // namespace

void ClientConnection::on_exchange_done(ClientFate fate) {
  WEIR_ASSERT(state_ == State::busy || state_ == State::tunnel);
  context_.give_back(std::move(exchange_));
  switch (fate) {
    case ClientFate::reset:
      stream_.reset();
      close();
      return;
    case ClientFate::cut:
    case ClientFate::close:
      close_gracefully();
      return;
    case ClientFate::keep:
      break;
  }
  if (is_draining_) {
    close_gracefully();
    return;
  }
  has_served_ = true;
  await_request();
  if (!input_.empty() || is_processing_ || stream_.is_readable()) continue_.post();
}

void ClientConnection::refuse_head(ErrorKind kind) {
  http::ErrorAnswer answer;
  answer.kind = kind;
  answer.request_id = context_.ids.next();
  answer.close = true;
  context_.out.clear();
  http::append_error_response(answer, &context_.out);
  ExchangeReport report;
  report.accepted = report.ended = context_.loop.now();
  report.request_id = answer.request_id;
  report.client = peer_;
  report.pool = context_.balancer.options().pool;
  report.status = traits(kind).status;
  report.has_error = true;
  report.error = Error{kind, false, 0};
  context_.observer.on_exchange(report);
  if (stream_.write(context_.out) == Stream::WriteStatus::failed) {
    close();
  } else {
    close_gracefully();
  }
}

void ClientConnection::on_deadline() {
  switch (state_) {
    case State::reading_head:
      if (has_begun_head_) {
        refuse_head(ErrorKind::request_head_timeout);
      } else {
        close();
      }
      return;
    case State::busy:
      if (!exchange_->is_request_complete() && exchange_->wants_request_body()) {
        exchange_->refuse(Error{ErrorKind::request_body_timeout, false, 0});
      } else if (stream_.queued() > 0) {
        on_left(ErrorKind::write_stall);
      }
      return;
    case State::tunnel:
      return;
    case State::flushing:
    case State::lingering:
      close();
      return;
    case State::closed:
      return;
  }
}

// FIN, reset or a broken pipe: the client is gone, and so is the reason for its generation.
void ClientConnection::on_left(ErrorKind why) {
  if (exchange_) {
    exchange_->on_client_gone(why);
    context_.give_back(std::move(exchange_));
  }
  close();
}

void ClientConnection::close_gracefully() {
  state_ = State::flushing;
  if (stream_.queued() == 0) {
    linger();
  } else {
    deadline_.set_after(context_.options.write_stall);
  }
}

// FIN now, but the socket is closed only when the client has closed too, or after a while: closing
// with unread bytes in the kernel would send a reset, which may overtake and destroy the answer.
void ClientConnection::linger() {
  state_ = State::lingering;
  stream_.shutdown_write();
  input_.clear();
  if (stream_.has_hangup()) {
    close();
    return;
  }
  deadline_.cancel();
  deadline_.set_after(kLinger);
  if (!is_processing_ && stream_.is_readable()) discard_input();
}

void ClientConnection::discard_input() {
  for (int reads = 0; reads < kDiscardsPerTurn; ++reads) {
    const Stream::ReadResult result =
        stream_.read(context_.scratch.data(), context_.scratch.size());
    if (result.status == Stream::ReadStatus::would_block) return;
    discarded_ += result.bytes;
    if (result.status != Stream::ReadStatus::data || discarded_ > kMostDiscarded) {
      close();
      return;
    }
    if (!stream_.is_readable()) return;
  }
  continue_.post();
}

void ClientConnection::drain() {
  is_draining_ = true;
  if (state_ == State::reading_head && !has_begun_head_) close_gracefully();
}

void ClientConnection::close_now() {
  on_left(context_.is_draining ? ErrorKind::draining : ErrorKind::client_gone);
}

void ClientConnection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  deadline_.cancel();
  stream_.close();
  owner_.on_client_closed(*this);
}

}  // namespace weir
