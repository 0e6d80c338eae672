// A non-blocking byte stream over one descriptor: reads into the caller's buffer, writes at once
// and queues only what the kernel would not take. Owns the descriptor; owned by a connection. Loop
// thread only. It decides nothing: limits, deadlines and what an end means are its owner's.
#pragma once

#include <errno.h>
#include <sys/socket.h>

#include <cstddef>
#include <string_view>

#include "lb/net/byte_queue.h"
#include "lb/net/event_loop.h"
#include "lb/net/io_event.h"
#include "lb/net/socket.h"

namespace weir {

class Stream {
 public:
  enum class ReadStatus : uint8_t { data, would_block, end, failed };
  struct ReadResult {  // two registers
    size_t bytes;      // when data
    int os_error;      // when failed
    ReadStatus status;
  };
  enum class WriteStatus : uint8_t {
    sent,    // all of it is with the kernel
    queued,  // some of it waits here; on_ready with `writable` comes when it may go on: call
             // flush()
    failed,  // the connection is broken, or memory is at its limit; os_error() says which (ENOBUFS)
  };

  Stream(EventLoop& loop, BlockPool& pool) : loop_(loop), queue_(pool) {}
  ~Stream() { stop_watching(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Takes the descriptor; on_ready runs on every edge until close(). False if the kernel refuses
  // the event.
  [[nodiscard]] bool open(UniqueFd fd, Callback<Readiness> on_ready);
  bool is_open() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // Edge-triggered: once told `readable`, read until would_block (or end), or remember to come
  // back: is_readable() stays true until a read came up short.
  ReadResult read(char* buffer, size_t capacity);
  ReadResult read(const iovec* pieces, int count);
  bool is_readable() const { return is_readable_; }
  bool has_hangup() const {
    return has_hangup_;
  }  // FIN or worse was seen; unread bytes may still be there

  WriteStatus write(std::string_view bytes);
  WriteStatus write(std::string_view first, std::string_view second) {  // one system call
    return second.empty() ? write(first) : write_both(first, second);
  }
  WriteStatus flush();
  // What the kernel takes now, nothing is queued: bytes taken, 0 when it would block, -1 when the
  // connection is broken. For senders that keep their bytes themselves; not to be mixed with queued
  // writes.
  ssize_t write_some(const iovec* pieces, int count);
  size_t queued() const { return queue_.size(); }
  int os_error() const { return os_error_; }
  // What broke the connection, or 0. libevent tells a reset as "readable", so one that came
  // together with bytes before it, or while nobody reads, has no sign of its own: ask.
  int pending_error() const noexcept { return connect_result(fd_.get()); }

  void shutdown_write() noexcept;  // FIN; for clients only, never towards a backend
  void close() noexcept;           // silences and closes
  void reset() noexcept;           // the same with RST

 private:
  static void thunk(evutil_socket_t, short what, void* self);
  void stop_watching() noexcept;
  ReadResult read_result(ssize_t n, size_t capacity);
  WriteStatus write_both(std::string_view first, std::string_view second);
  WriteStatus write_pieces(const iovec* pieces, int count);
  WriteStatus fail(int error);

  // An IoEvent of its own, without the second callback: there are two of these in each open stream.
  event event_{};
  EventLoop& loop_;
  Callback<Readiness> on_ready_;
  ByteQueue queue_;
  UniqueFd fd_;
  bool is_watching_ = false;
  bool is_readable_ = false;
  bool is_writable_ = true;  // until the kernel says EAGAIN
  bool has_hangup_ = false;
  int os_error_ = 0;
};

inline Stream::ReadResult Stream::read(char* buffer, size_t capacity) {
  ssize_t n;
  do {
    n = ::recv(fd_.get(), buffer, capacity, 0);
  } while (n < 0 && errno == EINTR);
  return read_result(n, capacity);
}

inline Stream::ReadResult Stream::read_result(ssize_t n, size_t capacity) {
  if (n > 0) {
    // A short read means drained, unless the end has been announced: then there is no further
    // edge, so read on.
    if (static_cast<size_t>(n) < capacity && !has_hangup_) is_readable_ = false;
    return {static_cast<size_t>(n), 0, ReadStatus::data};
  }
  if (n == 0) {
    is_readable_ = false;
    has_hangup_ = true;
    return {0, 0, ReadStatus::end};
  }
  is_readable_ = false;
  if (errno == EAGAIN) return {0, 0, ReadStatus::would_block};
  os_error_ = errno;
  return {0, os_error_, ReadStatus::failed};
}

}  // namespace weir
