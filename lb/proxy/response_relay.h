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
#include "lb/http/head_rewriter.h"
#include "lb/http/head_scanner.h"
#include "lb/http/message_head.h"
#include "lb/proxy/request_facts.h"

namespace weir {

struct ProxyContext;

// Where the bytes go. The client end of an exchange.
class RelaySink {
 public:
  virtual void write_to_client(std::string_view first, std::string_view second) = 0;

 protected:
  ~RelaySink() = default;
};

// What the head that goes to the client says, and how the request was; what it refers to must live
// as long as the attempt.
struct RelayRequest {
  const RequestFacts* facts = nullptr;
  std::string_view backend;
  int attempts = 1;
};

// A string that held much gives its memory back: thousands of open streams would keep it.
inline void release_text(std::string* text) {
  text->clear();
  if (text->capacity() > 1024) text->shrink_to_fit();
}

class ResponseRelay {
 public:
  enum class Status : uint8_t {
    more,  // needs more bytes
    done,  // the response is complete and has been passed on whole
    // 101, and the client has it: what follows, the last unread() bytes of what was fed first, is
    // of another protocol.
    switched,
    failed,  // error() says why; nothing after it is to be read
  };

  ResponseRelay(ProxyContext& context, RelaySink& sink, ExchangeNumbers& report);

  // Fresh, or reset(). `held`: what the client may not see yet is kept there, until it is committed
  // or forget_held().
  void start(const RelayRequest& request, std::string* held);
  Status feed(std::string_view bytes);
  // An answer that comes before the request was sent whole: the client's connection cannot go on
  // after it.
  void will_close_client() {
    if (!has_head_) keeps_client_ = false;
  }
  Status on_close();  // the backend sent FIN; `failed` unless that ends the response
  // After `failed` with backend_declined: nobody else can take the request, so the answer is passed
  // on as it is.
  Status pass_declined();
  void release_hold();  // the time-limit of the hold is over: pass on what is there
  void reset();
  void forget_held();

  bool has_begun() const { return has_begun_; }        // a byte of the response came
  bool is_committed() const { return is_committed_; }  // the client has seen a part of it
  // Nothing is held back any more, nor waited for: each read is passed on as it comes.
  bool is_flowing() const { return is_committed_ && has_first_event(); }
  bool is_holding() const { return has_head_ && !is_committed_; }
  bool has_first_event() const { return has_first_event_ || (has_head_ && !is_event_stream_); }
  // Of a stream that ended well, or empty.
  std::string_view finish_reason() const {
    return is_finished_ ? events_.finish_reason() : std::string_view();
  }
  bool is_done_event_seen() const { return is_done_event_seen_; }
  bool backend_may_be_reused() const { return backend_may_be_reused_; }
  bool keeps_client_alive() const { return keeps_client_; }
  bool passed_declined() const { return passes_declined_; }
  int status() const { return status_; }
  size_t unread() const { return unread_; }  // after `switched`
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

  [[gnu::noinline]] Status take_heads(std::string_view* bytes);
  Status take_head(std::string_view* bytes);
  Status judge_head(const http::ResponseHead& head, size_t bytes);
  Status accept_head(const http::ResponseHead& head);
  Status pass_interim(const http::ResponseHead& head, size_t bytes);
  http::ResponseRewrite rewrite_by_options() const;  // of any head
  http::ResponseRewrite rewrite_of_answer() const;   // of the one that ends this attempt
  Status switch_protocols(const http::ResponseHead& head);
  void choose_framing(const http::ResponseHead& head, http::ResponseRewrite* how);
  void choose_hold(const http::ResponseHead& head, http::Framing framing);
  void pass_trailers(std::string_view piece);
  Status feed_body(std::string_view bytes);
  [[gnu::noinline]] Status feed_pieces(std::string_view bytes);
  bool take_data(std::string_view data);
  [[gnu::always_inline]] bool look_at_events(std::string_view data);
  void note_event(const http::EventLook& look);
  // Bytes for the client, framing and all: at once when committed, else behind the head that is
  // held.
  void pass(std::string_view run) {
    if (!is_committed_) {
      pass_or_hold(run);
    } else if (!run.empty()) {
      sink_.write_to_client(run, {});
    }
  }
  void pass_or_hold(std::string_view run);
  void pass_data(std::string_view data);
  void commit();
  Status finish();
  Status fail(ErrorKind kind);
  Status fail_aborted(std::string_view safe_run, bool is_clean_cut);

  ProxyContext& context_;
  RelaySink& sink_;
  ExchangeNumbers& report_;
  RelayRequest request_;
  http::HeadScanner scanner_;
  http::BodyReader reader_;
  http::EventScanner events_{http::EventScanner::Depth::without_text};
  std::string head_;             // the backend's, while incomplete; later a trailer line that is
  std::string* held_ = nullptr;  // the client's head and what follows it, until committed
  size_t held_head_ = 0;         // how many bytes of held_ are its head
  size_t reserved_ = 0;          // of ProxyContext::held_bytes
  Error error_{};
  int status_ = 0;
  int interims_ = 0;  // 1xx heads before the head
  size_t interim_bytes_ = 0;
  size_t unread_ = 0;
  Mode mode_ = Mode::raw;
  Hold hold_ = Hold::none;
  bool keeps_client_ = true;  // alive
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
  bool passes_trailers_ = false;
  bool is_finished_ = false;
  bool is_spoilt_by_interim_ = false;  // one announced a body, or a close
  bool is_clean_boundary_ =
      false;  // everything passed on so far ends at a chunk and event boundary
};

}  // namespace weir
