// One connection to the admin side: a head comes, an answer goes, the end. Owned by AdminListener.
// Loop thread only.
//
//   reading ──▶ answering ──▶ lingering ──▶ closed
//      └── too slow, too large, gone ─────────┘
#pragma once

#include <string>

#include "lb/admin/admin_routes.h"
#include "lb/http/head_parser.h"
#include "lb/http/head_scanner.h"
#include "lb/net/stream.h"

namespace weir {

class AdminListener;

class AdminConnection {
 public:
  AdminConnection(EventLoop& loop, BlockPool& blocks, AdminListener& listener);
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;

  [[nodiscard]] bool open(UniqueFd fd);
  void close();  // silences; the owner retires it

 private:
  enum class State : uint8_t { reading, answering, lingering };

  void on_ready(Readiness readiness);
  void read_head();
  void answer(std::string_view head);
  void refuse(int status, std::string_view why);
  void send(const AdminAnswer& answer, bool with_body);
  void go_on_sending();
  void linger();
  void on_too_slow();
  void end();  // closes and tells the owner

  EventLoop& loop_;
  AdminListener& listener_;
  Stream stream_;
  Timer deadline_;
  http::HeadScanner scanner_;
  std::string head_;
  State state_ = State::reading;
};

}  // namespace weir
