// The life of one request: wait for a lease, connect, send, pass the response on; once more
// elsewhere if that is safe. Owned by its ClientConnection while it runs, reused through
// ProxyContext. Loop thread only.
//
//   idle ──▶ waiting ──▶ connecting ──▶ sending ──▶ (tunnel, after 101) ──▶ done
//               ▲            │             │ (its ResponseRelay: head, held, passing)
//               └── retry ───┴─────────────┘   failed after the client saw a part: cut visibly,
//               never retried
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/observer.h"

#include "lb/backend/backend_connection.h"
#include "lb/balance/balancer.h"
#include "lb/proxy/deadlines.h"
#include "lb/proxy/local_answers.h"
#include "lb/proxy/pending_request.h"
#include "lb/proxy/request_body.h"
#include "lb/proxy/request_facts.h"
#include "lb/proxy/response_relay.h"
#include "lb/proxy/tunnel.h"

namespace weir {

struct ProxyContext;

// How the client's connection goes on after an exchange.
enum class ClientFate : uint8_t {
  keep,   // next request
  close,  // what is queued is still sent, then FIN
  cut,    // the response is incomplete: FIN behind what is queued shows it
  reset,  // the response is incomplete and only a RST shows it
};

// The client's end of an exchange, as the exchange sees it.
class ExchangeClient {
 public:
  virtual Stream& client_stream() = 0;
  virtual void resume_request_body() = 0;  // there is room again; in a tunnel: read on
  virtual void on_tunnel_begun() = 0;      // from now on on_tunnel_ready and on_tunnel_input
  virtual void on_output_queued() = 0;     // the client did not take all that was written
  virtual void on_client_broken() = 0;     // writing failed: calls on_client_gone in turn
  virtual void look_for_reset() = 0;       // one without a sign; may call on_client_gone
  virtual void on_exchange_done(ClientFate fate) = 0;  // the last call

 protected:
  ~ExchangeClient() = default;
};

class Exchange final : private BackendConnectionUser, private RelaySink {
 public:
  enum class State : uint8_t { idle, waiting, connecting, sending, tunnel, done };

  explicit Exchange(ProxyContext& context);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  // The head is complete; copies all it needs from it.
  void begin(ExchangeClient& client, const http::RequestHead& head,
             const http::PathVerdict& verdict, const ClientPeer& peer);
  void on_request_body(std::string_view data);
  // The same without a copy, for a body of known length: room to read into, then how much was read.
  int make_room_for_body(iovec* pieces, int max, uint64_t most) {
    return body_.make_room(pieces, max, most);
  }
  void on_request_body_grown(size_t bytes);
  void on_request_end();
  bool wants_request_body() const;  // false: leave it in the socket for now
  void start();              // ask for a backend; after what came with the head was handed over
  void on_client_drained();  // the client took what was queued
  // Aborts the backend at once; on_exchange_done is not called.
  void on_client_gone(ErrorKind why = ErrorKind::client_gone);
  // In a tunnel the client's stream is read here; `input`: what was read of it before.
  void on_tunnel_ready(Readiness readiness);
  void on_tunnel_input(std::string_view input);
  void answer_locally(const LocalAnswer& answer);  // instead of start()
  void refuse(
      const Error& error);  // the client's fault (bad body) or ours, before or while sending

  // Now and then: looks for resets that left no sign; a backend whose port refuses and that has
  // been silent here is given up.
  void check_silence();

  State state() const { return state_; }
  bool is_request_complete() const { return body_.is_complete(); }
  bool waits_for_continue() const { return expects_continue_; }

 private:
  void on_backend_connected() override;
  void on_backend_readable() override;
  void on_backend_writable() override;
  void on_backend_failed(const Error& error) override;
  void write_to_client(std::string_view first, std::string_view second) override;

  void become(State next);
  void ask_for_lease();
  void on_place_answer();
  void on_lease(Lease lease);
  void begin_sending();
  void pump();
  bool is_request_sent() const;
  ResponseRelay::Status take_response(std::string_view bytes);
  ResponseRelay::Status take_beginning(std::string_view bytes);
  void on_response_over(ResponseRelay::Status status, const Stream::ReadResult& result);
  void on_committed();
  void touch_silence();
  void on_limit(Limit limit);
  void on_silence();  // nothing came for too long
  void look_for_resets();
  void on_hold_over();
  void on_resume();
  void on_response_done();
  void tell_outcome();
  void begin_tunnel(std::string_view from_backend);
  void settle_tunnel(Tunnel::Status status);
  void on_attempt_failed(Error error);
  void try_again();
  void forget_attempt();
  void fail(const Error& error);
  void answer_with_error(const Error& error, std::string_view message);
  void finish(ClientFate fate);
  void drop_backend();
  void drop_pending();
  void tell_observer();
  Progress progress() const;
  std::string_view backend_id() const;

  ProxyContext& context_;
  ExchangeClient* client_ = nullptr;
  State state_ = State::idle;
  bool expects_continue_ = false;   // and has not been told to go on
  bool is_backend_paused_ = false;  // the client is slow
  bool is_backend_broken_ = false;  // it takes nothing more; its answer may be there
  bool client_failed_ = false;      // writing to it failed; its connection will notice
  size_t active_index_ = 0;         // in ProxyContext::active

  RequestFacts facts_;
  std::unique_ptr<PendingRequest> pending_;  // until the answer has begun and the head is sent
  TimePoint last_byte_{};                    // from the backend; at first: when it was begun
  TimePoint looked_behind_{};                // the last byte that a reset has been looked for after
  ExchangeNumbers report_;

  RequestBody body_;
  ResponseRelay relay_;
  Lease lease_;  // held while connecting and sending, and as long as a tunnel lasts
  std::unique_ptr<BackendConnection> backend_;
  std::unique_ptr<Tunnel> tunnel_;
  Deadlines deadlines_;
  Task resume_;
};

}  // namespace weir
