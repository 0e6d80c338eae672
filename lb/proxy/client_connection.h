// One client's connection: reads requests one after the other, hands each to an Exchange, writes
// what that produces, keeps the limits. Owned by its Listener. Loop thread only.
//
//   reading_head ◀──▶ busy (an Exchange runs; its request body is read here) ──▶ tunnel (it reads)
//        │              │                                                             │
//        └──────────────┴──▶ flushing (what is queued is still sent) ──▶ lingering (FIN sent, the
//        rest discarded) ──▶ closed
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lb/http/body_reader.h"
#include "lb/http/head_scanner.h"
#include "lb/net/lazy_timer.h"
#include "lb/net/stream.h"
#include "lb/proxy/exchange.h"

namespace weir {

struct ProxyContext;
class ClientConnection;

class ClientConnectionOwner {
 public:
  virtual void on_client_closed(ClientConnection& connection) = 0;  // the last call

 protected:
  ~ClientConnectionOwner() = default;
};

class ClientConnection final : private ExchangeClient {
 public:
  enum class State : uint8_t { reading_head, busy, tunnel, flushing, lingering, closed };

  ClientConnection(ProxyContext& context, ClientConnectionOwner& owner);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();

  [[nodiscard]] bool open(UniqueFd fd, const SocketAddress& peer);
  void drain();      // idle: closes now; busy: after this exchange
  void close_now();  // whatever it is doing

  State state() const { return state_; }
  // Between two requests: closing it costs nobody an answer.
  bool is_idle() const { return state_ == State::reading_head && !has_begun_head_ && has_served_; }
  size_t index = 0;  // in its owner's list

 private:
  Stream& client_stream() override { return stream_; }
  void resume_request_body() override;
  void on_tunnel_begun() override;
  void on_output_queued() override;
  void on_client_broken() override;
  void look_for_reset() override;
  void on_exchange_done(ClientFate fate) override;

  void on_ready(Readiness readiness);
  void read_more();
  bool reads_in_place() const;
  bool read_in_place();
  bool may_read() const;
  void on_bytes(std::string_view bytes);
  size_t process(std::string_view bytes);
  size_t process_head(std::string_view bytes);
  size_t process_body(std::string_view bytes);
  bool handle_head(std::string_view head);
  bool begin_exchange(const http::RequestHead& head);
  ErrorKind check_access(const http::RequestHead& head);
  void refuse_head(ErrorKind kind);
  void await_request();
  void on_writable();
  void on_deadline();
  void on_continue();
  void on_tunnel_ready(Readiness readiness);
  void on_left(ErrorKind why = ErrorKind::client_gone);
  void close_gracefully();
  void linger();
  void discard_input();
  void close();

  ProxyContext& context_;
  ClientConnectionOwner& owner_;
  Stream stream_;
  State state_ = State::closed;
  bool is_draining_ = false;
  bool has_begun_head_ = false;
  bool has_served_ = false;  // a request, at least
  bool is_trusted_ = false;  // the gate let it in
  bool is_trusted_proxy_ = false;
  bool was_gate_asked_ = false;
  bool is_processing_ = false;
  size_t discarded_ = 0;
  std::string input_;  // bytes read and not used yet
  std::string peer_;
  http::HeadScanner scanner_;
  http::BodyReader body_;
  std::unique_ptr<Exchange> exchange_;  // while busy
  LazyTimer deadline_;
  Task continue_;
};

}  // namespace weir
