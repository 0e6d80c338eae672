// One connection of a client to a pretend server: reads requests one after another, writes what
// their answers are, keeps alive as uvicorn does. Owned by its PretendServer; loop thread only.
//
//   reading ──request whole──▶ busy ──finish_response()──▶ reading (idle timer runs between
//   requests)
//      └──────────── FIN, RST, bad bytes ────────────▶ closed
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bench/mock/fault.h"
#include "bench/mock/http_text.h"
#include "bench/mock/request_parser.h"
#include "lb/net/stream.h"

namespace weir {

class Generation;
class PretendServer;

class MockConnection {
 public:
  // A client that reads nothing is cut when this much waits for it.
  static constexpr size_t kMostQueued = 64 * 1024 * 1024;

  MockConnection(EventLoop& loop, BlockPool& pool, PretendServer& server);
  ~MockConnection();
  MockConnection(const MockConnection&) = delete;
  MockConnection& operator=(const MockConnection&) = delete;

  [[nodiscard]] bool open(UniqueFd fd);

  // For whoever answers the current request. False: the connection is closed, touch nothing more.
  bool write(std::string_view bytes);
  void answer(PlainAnswer answer);  // head and body in two writes, then finish_response()
  void finish_response();
  void finish_and_close();    // the same, and no further request
  void close();               // drops what is still queued
  void close_when_flushed();  // as uvicorn closes
  void reset();

  void set_generation(std::unique_ptr<Generation> generation);
  Generation* generation() const { return generation_.get(); }
  const MockRequest& request() { return parser_.request(); }
  bool is_busy() const { return is_busy_; }
  bool is_closing() const { return is_closing_; }
  bool should_close() const { return should_close_; }
  size_t requests() const { return requests_; }
  void set_idle_fault(const Fault& fault) { idle_fault_ = fault; }  // of this connection alone

 private:
  void on_ready(Readiness readiness);
  bool is_reset(Readiness readiness) const;
  void on_idle_too_long();
  void read_on();
  void take(std::string_view bytes);
  void begin_request();
  void go_idle();
  void on_client_left();
  void let_go();

  EventLoop& loop_;
  PretendServer& server_;
  Stream stream_;
  MockRequestParser parser_;
  std::string pending_;  // bytes behind the current request
  std::unique_ptr<Generation> generation_;
  Timer idle_timer_;
  Task read_task_;
  Fault idle_fault_;
  size_t requests_ = 0;
  bool is_busy_ = false;
  bool is_reading_ = false;    // inside read_on()
  bool should_close_ = false;  // after the current response
  bool is_closing_ = false;    // as soon as the queue is flushed
  bool is_closed_ = false;
};

}  // namespace weir
