// How an exchange ends: well, elsewhere, with an error answer, or cut. The other half of
// exchange.cpp.
#include <fmt/core.h>

#include "weir/assert.h"
#include "weir/log.h"

#include "lb/http/error_response.h"
#include "lb/proxy/exchange.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

// Connecting may fail at every backend of a pool once; a bound all the same.
constexpr int kMostConnects = 64;
constexpr Duration kQuiet = std::chrono::milliseconds(50);

bool means_no_backend(ErrorKind kind) {
  return kind == ErrorKind::no_backend_ready || kind == ErrorKind::backends_loading;
}

}  // namespace

void Exchange::on_response_done() {
  const bool is_upload_over =
      body_.is_complete() && body_.unsent() == 0 && head_sent_ == head_.size();
  const bool keeps_client = relay_.keeps_client_alive() && is_upload_over;
  const TimePoint now = context_.loop.now();
  if (report_.has_stream_error) {
    lease_.failed(Error{ErrorKind::stream_aborted, false, 0}, now);
  } else {
    lease_.succeeded(now);
  }
  if (relay_.backend_may_be_reused() && is_upload_over) {
    context_.pool.give_back(std::move(backend_));
  }
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

void Exchange::on_backend_failed(const Error& error) {
  on_attempt_failed(error);
}

void Exchange::on_silence() {
  if (state_ != State::sending) return;
  if (is_backend_paused_) {  // the client is what is slow; its own time-out watches it
    touch_silence();
    return;
  }
  const bool has_begun = relay_.is_committed();
  on_attempt_failed(
      Error{has_begun ? ErrorKind::stream_interrupted : ErrorKind::first_byte_timeout, false, 0});
}

void Exchange::on_hold_over() {
  if (state_ != State::sending) return;
  relay_.release_hold();
  if (relay_.is_committed()) body_.stop_holding();
}

void Exchange::check_silence() {
  if (looked_behind_ != last_byte_ && context_.loop.now() - last_byte_ >= kQuiet) look_for_resets();
  if (state_ != State::sending || is_backend_paused_) return;
  const std::optional<TimePoint> refusing = lease_.refusing_since();
  if (!refusing) return;
  const TimePoint quiet_since = std::max(*refusing, last_byte_);
  if (context_.loop.now() - quiet_since < context_.options.silent_grace) return;
  on_attempt_failed(Error{ErrorKind::stream_silent, false, 0});
}

// Once in each pause: a reset in the same turn as the bytes before it is nothing but "readable",
// and they were all that was read.
void Exchange::look_for_resets() {
  looked_behind_ = last_byte_;
  client_->look_for_reset();
  if (state_ == State::sending && !is_backend_paused_) on_backend_readable();
}

void Exchange::on_attempt_failed(Error error) {
  if (is_logged(LogLevel::debug)) {
    log_debug("exchange " + request_id_ + ": backend " + backend_id_ + ": " + describe(error));
  }
  if (error.kind == ErrorKind::backend_declined && !may_go_elsewhere(error)) {
    relay_.pass_declined();
    on_response_done();
    return;
  }
  const bool is_stale =
      error.on_reused_connection && error.kind == ErrorKind::backend_closed && !relay_.has_begun();
  // A connection that its backend closed while it lay idle says nothing about the backend.
  if (!is_stale) {
    lease_.failed(error, context_.loop.now());
    if (context_.on_trouble) context_.on_trouble(lease_.serial());
  }
  if (!try_again(error)) fail(error);
}

RetryVerdict Exchange::judge(const Error& error) const {
  RetrySituation situation;
  situation.error = error;
  situation.progress = progress();
  situation.sends = report_.attempts;
  situation.max_sends = context_.options.max_sends;
  situation.is_repeatable = is_repeatable_;
  situation.is_body_held = body_.is_held() || !body_.was_touched();
  return judge_retry(situation);
}

bool Exchange::may_go_elsewhere(const Error& error) const {
  if (judge(error) == RetryVerdict::give_up || excluded_ == wish_.excluded.size()) return false;
  Wish without_this = wish_;
  without_this.excluded[excluded_] = lease_.serial();
  return context_.balancer.has_usable(without_this);
}

bool Exchange::try_again(const Error& error) {
  const RetryVerdict verdict = judge(error);
  if (verdict == RetryVerdict::give_up) return false;
  may_reuse_ = false;  // whatever happened, the next connection is a fresh one
  // Those that refuse leave the pool at once; so many that answer nothing are a broken network.
  if (excluded_ == wish_.excluded.size()) return false;
  wish_.excluded[excluded_++] = lease_.serial();
  // What looks like a connection that went stale may be a backend that is just dying: another one
  // is the better place.
  if (verdict == RetryVerdict::same_or_other && !context_.balancer.has_usable(wish_)) {
    wish_.excluded[--excluded_] = 0;
  }
  drop_backend();
  lease_ = {};
  relay_.reset();
  body_.rewind();
  head_sent_ = 0;
  retry_reason_ = error;
  forget_attempt();
  ask_for_lease();
  return true;
}

// What the report says of an answer is said of the one that the client gets.
void Exchange::forget_attempt() {
  hold_.clear();
  silence_.clear();
  report_.first_byte = report_.first_event = report_.last_event = {};
  report_.longest_gap = {};
  report_.bytes_out = report_.events = 0;
  report_.tokens_in = report_.tokens_out = -1;
  report_.is_stream = report_.has_stream_error = false;
}

void Exchange::fail(const Error& error) {
  const Error shown = retry_reason_ && means_no_backend(error.kind) ? *retry_reason_ : error;
  report_.has_error = true;
  report_.error = shown;
  std::string message;
  if (means_no_backend(shown.kind)) {
    message = context_.balancer.describe_backends();
  } else if (blame(shown.kind) == Blame::backend && !backend_id_.empty()) {
    message = "backend " + backend_id_ + ": " + std::string(traits(shown.kind).message);
  }
  drop_backend();
  if (!relay_.is_committed()) {
    answer_with_error(shown, message);
    return;
  }
  // In a stream whatever a backend did is one thing to the client.
  const bool is_backends = blame(shown.kind) == Blame::backend;
  if (relay_.write_error_event(is_backends ? ErrorKind::stream_interrupted : shown.kind, message)) {
    finish(ClientFate::cut);
  } else {
    finish(relay_.needs_reset_to_show_cut() ? ClientFate::reset : ClientFate::cut);
  }
}

void Exchange::answer_with_error(const Error& error, std::string_view message) {
  const bool keeps_client =
      client_keeps_alive_ && body_.is_complete() && error.kind != ErrorKind::draining;
  http::ErrorAnswer answer;
  answer.kind = error.kind;
  answer.message = message;
  answer.request_id = request_id_;
  answer.backend = backend_id_;
  answer.attempts = report_.attempts;
  answer.client_minor_version = client_minor_version_;
  answer.close = !keeps_client;
  answer.is_head = method_ == http::Method::head;
  context_.out.clear();
  http::append_error_response(answer, &context_.out);
  report_.status = traits(error.kind).status;
  write_to_client(context_.out, {});
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

void Exchange::answer_locally(const LocalAnswer& answer) {
  const bool keeps_client = client_keeps_alive_ && framing_.kind == http::BodyKind::none;
  report_.is_probe_path = true;
  report_.status = answer.status;
  context_.out = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Request-Id: "
      "{}\r\n{}\r\n",
      answer.status == 200 ? "200 OK" : "503 Service Unavailable", answer.body.size(), request_id_,
      keeps_client ? (client_minor_version_ == 0 ? "Connection: keep-alive\r\n" : "")
                   : "Connection: close\r\n");
  if (method_ != http::Method::head) context_.out += answer.body;
  write_to_client(context_.out, {});
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

void Exchange::refuse(const Error& error) {
  if (state_ == State::done) return;
  retry_reason_.reset();
  fail(error);
}

void Exchange::on_client_gone() {
  // A client that closes after [DONE] has had its answer.
  if (relay_.is_done_event_seen()) {
    if (lease_) lease_.succeeded(context_.loop.now());
  } else {
    report_.has_error = true;
    report_.error = Error{ErrorKind::client_gone, false, 0};
  }
  client_ = nullptr;
  finish(ClientFate::cut);
}

void Exchange::drop_backend() {
  if (backend_) context_.pool.discard(std::move(backend_));
}

void Exchange::finish(ClientFate fate) {
  become(State::done);
  place_.leave();
  drop_backend();  // closing it is what stops the generation
  lease_ = {};
  silence_.clear();
  hold_.clear();
  body_.clear();
  if (Exchange* moved = context_.leave(active_index_)) moved->active_index_ = active_index_;
  report_.ended = context_.loop.now();
  context_.observer.on_exchange(report_);
  retry_reason_.reset();
  relay_.reset();
  if (client_ == nullptr) return;
  ExchangeClient* client = client_;
  client_ = nullptr;
  client->on_exchange_done(client_failed_ ? ClientFate::reset : fate);
}

}  // namespace weir
