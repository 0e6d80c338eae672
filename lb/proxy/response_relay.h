// The response of one attempt on its way to the client: collects and checks the head, holds it as
// long as the exchange may still go elsewhere, walks the body, and passes its bytes on raw. Owned
// by an Exchange. Loop thread only.
//
//   head ──▶ held (event stream before its first event, plain JSON before its end) ──▶ passing ──▶
//   done
//     └─────────────────────────────────────────────────────────────────────────────┘
#pragma once

#include <string>
#include <string_view>

#include "weir/error.h"
#include "weir/observer.h"

#include "lb/http/body_reader.h"
#include "lb/http/event_scanner.h"
#include "lb/http/head_scanner.h"
#include "lb/http/message_head.h"
#include "lb/http/path_policy.h"

namespace weir {

struct ProxyContext;

// Where the bytes go. The client end of an exchange.
class RelaySink {
 public:
  virtual void write_to_client(std::string_view first, std::string_view second) = 0;

 protected:
  ~RelaySink() = default;
};

// What the head that goes to the client says, and how the request was; views must live as long as
// the attempt.
struct RelayRequest {
  std::string_view request_id;
  std::string_view backend;
  int attempts = 1;
  http::Method method = http::Method::get;
  http::ApiShape shape = http::ApiShape::openai;
  int client_minor_version = 1;
  bool keeps_alive = true;  // towards the client
  bool may_hold = false;    // the exchange could go elsewhere, or its answer is to be looked at
};

class ResponseRelay {
 public:
  enum class Status : uint8_t {
    more,    // needs more bytes
    done,    // the response is complete and has been passed on whole
    failed,  // error() says why; nothing after it is to be read
  };

  ResponseRelay(ProxyContext& context, RelaySink& sink, ExchangeReport& report);

  void start(const RelayRequest& request);
  Status feed(std::string_view bytes);
  // An answer that comes before the request was sent whole: the client's connection cannot go on
  // after it.
  void will_close_client() {
    if (!has_head_) request_.keeps_alive = false;
  }
  Status on_close();  // the backend sent FIN; `failed` unless that ends the response
  // After `failed` with backend_declined: nobody else can take the request, so the answer is passed
  // on as it is.
  Status pass_declined();
  void release_hold();  // the time-limit of the hold is over: pass on what is there
  void reset();

  bool has_begun() const { return has_begun_; }        // a byte of the response came
  bool is_committed() const { return is_committed_; }  // the client has seen a part of it
  bool is_holding() const { return has_head_ && !is_committed_; }
  bool has_first_event() const { return has_first_event_ || (has_head_ && !is_event_stream_); }
  bool is_done_event_seen() const { return is_done_event_seen_; }
  bool backend_may_be_reused() const { return backend_may_be_reused_; }
  bool keeps_client_alive() const { return request_.keeps_alive; }
  int status() const { return status_; }
  const Error& error() const { return error_; }

  // After a failure in the middle: puts an error event into the stream if that is possible here
  // (chunk and event boundary of an unencoded chunked event stream). False: the connection can only
  // be cut.
  bool write_error_event(ErrorKind kind, std::string_view message);
  // How a cut is made visible to this client: a FIN looks like a proper end when nothing else
  // delimits the body.
  bool needs_reset_to_show_cut() const { return mode_ == Mode::plain; }

 private:
  enum class Mode : uint8_t { raw, rechunk, plain };  // how the body is written
  enum class Hold : uint8_t { none, first_event, whole };

  Status take_head(std::string_view* bytes);
  Status accept_head(const http::ResponseHead& head);
  Status feed_body(std::string_view bytes);
  bool take_data(std::string_view data);
  void note_event(const http::EventLook& look);
  void pass(std::string_view run);
  void pass_data(std::string_view data);
  void commit();
  Status finish();
  Status fail(ErrorKind kind);
  Status fail_aborted(std::string_view safe_run, bool is_clean_cut);

  ProxyContext& context_;
  RelaySink& sink_;
  ExchangeReport& report_;
  RelayRequest request_;
  http::HeadScanner scanner_;
  http::BodyReader reader_;
  http::EventScanner events_;
  std::string head_;  // the backend's, while incomplete
  std::string held_;  // the client's head and what follows it, until committed
  Error error_{};
  int status_ = 0;
  Mode mode_ = Mode::raw;
  Hold hold_ = Hold::none;
  bool has_begun_ = false;
  bool has_head_ = false;
  bool is_committed_ = false;
  bool passes_declined_ = false;
  bool is_event_stream_ = false;
  bool is_encoded_ = false;
  bool looks_at_events_ = false;
  bool has_first_event_ = false;
  bool is_done_event_seen_ = false;
  bool backend_may_be_reused_ = false;
  bool is_clean_boundary_ =
      false;  // everything passed on so far ends at a chunk and event boundary
};

}  // namespace weir
