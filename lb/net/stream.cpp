#include "lb/net/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace weir {
namespace {

constexpr int kPiecesPerWrite = 16;

}  // namespace

bool Stream::open(UniqueFd fd, Callback<Readiness> on_ready) {
  fd_ = std::move(fd);
  on_ready_ = on_ready;
  is_readable_ = false;
  is_writable_ = true;
  has_hangup_ = false;
  os_error_ = 0;
  event_assign(&event_, loop_.base(), fd_.get(),
               EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, &thunk, this);
  is_watching_ = event_add(&event_, nullptr) == 0;
  if (!is_watching_) fd_.reset();
  return is_watching_;
}

void Stream::thunk(evutil_socket_t, short what, void* self) {
  auto* stream = static_cast<Stream*>(self);
  stream->loop_.refresh_for_event();
  if ((what & EV_CLOSED) == 0 && stream->is_writable_) {  // most of the time
    const bool is_readable = (what & EV_READ) != 0;
    stream->is_readable_ |= is_readable;
    stream->on_ready_({is_readable, false, false});
    return;
  }
  // Each edge says that the socket is writable as well; only who was told otherwise wants to know.
  const bool is_writable_again = (what & EV_WRITE) != 0 && !stream->is_writable_;
  const Readiness readiness{(what & EV_READ) != 0, is_writable_again, (what & EV_CLOSED) != 0};
  stream->has_hangup_ |= readiness.hangup;
  stream->is_readable_ |= readiness.readable || readiness.hangup;
  stream->is_writable_ |= readiness.writable;
  stream->on_ready_(readiness);
}

void Stream::stop_watching() noexcept {
  if (is_watching_) event_del(&event_);
  is_watching_ = false;
}

Stream::ReadResult Stream::read(const iovec* pieces, int count) {
  size_t capacity = 0;
  for (int i = 0; i < count; ++i) capacity += pieces[i].iov_len;
  ssize_t n;
  do {
    n = ::readv(fd_.get(), pieces, count);
  } while (n < 0 && errno == EINTR);
  return read_result(n, capacity);
}

Stream::WriteStatus Stream::write(std::string_view bytes) {
  if (queue_.is_empty() && is_writable_) {  // and takes all of it, most of the time
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n == static_cast<ssize_t>(bytes.size())) return WriteStatus::sent;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail(errno);
    is_writable_ = n < 0 && errno == EINTR;
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  return write_pieces(&piece, 1);
}

Stream::WriteStatus Stream::write_both(std::string_view first, std::string_view second) {
  const iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                           {const_cast<char*>(second.data()), second.size()}};
  return write_pieces(pieces, 2);
}

Stream::WriteStatus Stream::write_pieces(const iovec* pieces, int count) {
  size_t sent = 0;
  while (queue_.is_empty() && is_writable_) {
    ssize_t n;
    if (count == 1) {
      n = ::send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces);
      message.msg_iovlen = static_cast<size_t>(count);
      n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    }
    if (n >= 0) {
      sent = static_cast<size_t>(n);
      break;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(errno);
    is_writable_ = false;
  }
  bool has_rest = false;
  for (int i = 0; i < count; ++i) {
    std::string_view rest(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    const size_t gone = sent < rest.size() ? sent : rest.size();
    sent -= gone;
    rest.remove_prefix(gone);
    if (rest.empty()) continue;
    has_rest = true;
    is_writable_ = false;  // a short write means full; the next edge says when it goes on
    if (!queue_.append(rest)) return fail(ENOBUFS);
  }
  return has_rest ? WriteStatus::queued : WriteStatus::sent;
}

ssize_t Stream::write_some(const iovec* pieces, int count) {
  if (!is_writable_) return 0;
  size_t wanted = 0;
  for (int i = 0; i < count; ++i) wanted += pieces[i].iov_len;
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);
  message.msg_iovlen = static_cast<size_t>(count);
  for (;;) {
    const ssize_t n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (n >= 0) {
      if (static_cast<size_t>(n) < wanted) is_writable_ = false;
      return n;
    }
    if (errno == EINTR) continue;
    is_writable_ = false;
    if (errno == EAGAIN) return 0;
    os_error_ = errno;
    return -1;
  }
}

Stream::WriteStatus Stream::flush() {
  while (!queue_.is_empty()) {
    iovec pieces[kPiecesPerWrite];
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = static_cast<size_t>(queue_.peek(pieces, kPiecesPerWrite));
    const ssize_t n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (n >= 0) {
      queue_.consume(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(errno);
    is_writable_ = false;
    return WriteStatus::queued;
  }
  return WriteStatus::sent;
}

Stream::WriteStatus Stream::fail(int error) {
  os_error_ = error;
  return WriteStatus::failed;
}

void Stream::shutdown_write() noexcept {
  if (fd_) ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() noexcept {
  stop_watching();
  fd_.reset();
  queue_.clear();
  is_readable_ = false;
}

void Stream::reset() noexcept {
  if (fd_) reset_on_close(fd_.get());
  close();
}

}  // namespace weir
