// How an exchange ends: well, elsewhere, with an error answer, or cut. The other half of
// exchange.cpp.
#include <algorithm>

#include "weir/assert.h"
#include "weir/log.h"

#include "lb/http/error_response.h"
#include "lb/proxy/exchange.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr int64_t kLongestRetryAfterMs = 50'000;  // with the spread: a minute
// Longer than the pauses of a stream that works: looking costs two system calls.
constexpr Duration kQuiet = std::chrono::milliseconds(500);

// As the balancer estimates it for the next who comes; nobody is sent away for long.
int retry_after_ms(const ProxyContext& context, ErrorKind kind) {
  using std::chrono::milliseconds;
  const Duration wait = context.balancer.retry_after(kind, context.loop.now());
  const auto ms = std::chrono::duration_cast<milliseconds>(wait).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, kLongestRetryAfterMs));
}

bool means_no_backend(ErrorKind kind) {
  return kind == ErrorKind::no_backend_ready || kind == ErrorKind::backends_loading;
}

}  // namespace

void Exchange::on_response_done() {
  const bool is_upload_over = is_request_sent();
  const bool keeps_client = relay_.keeps_client_alive() && is_upload_over;
  tell_outcome();
  if (relay_.backend_may_be_reused() && is_upload_over) {
    context_.pool.give_back(std::move(backend_));
  }
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

// An answer arrived whole; what does it say of the backend?
void Exchange::tell_outcome() {
  const TimePoint now = context_.loop.now();
  const int status = relay_.status();
  if (relay_.passed_declined() || status == 503) {  // busy is not ill, in whatever form it comes
    lease_.failed(Error{ErrorKind::backend_declined, false, 0}, now);
  } else if (report_.has_stream_error) {
    lease_.failed(Error{ErrorKind::stream_aborted, false, 0}, now);
  } else if (status == 502 || status == 504) {
    lease_.failed(Error{ErrorKind::gateway_status, false, 0}, now);
  } else {
    lease_.succeeded(now);
  }
}

void Exchange::on_backend_failed(const Error& error) {
  on_attempt_failed(error);
}

void Exchange::on_limit(Limit limit) {
  switch (limit) {
    case Limit::silence:
      on_silence();
      return;
    case Limit::hold:
      on_hold_over();
      return;
    case Limit::request:
      if (!relay_.is_committed()) fail(Error{ErrorKind::request_deadline, false, 0});
      return;
  }
}

void Exchange::on_silence() {
  if (state_ == State::tunnel) {
    report_.has_error = true;
    report_.error = Error{ErrorKind::tunnel_idle, false, 0};
    finish(ClientFate::cut);
    return;
  }
  if (state_ != State::sending) return;
  if (is_backend_paused_) {  // the client is what is slow; its own time-out watches it
    touch_silence();
    return;
  }
  const Duration left = last_byte_ + context_.options.between_bytes - context_.loop.now();
  if (relay_.has_first_event() && left > Duration::zero()) {
    deadlines_.set_after(Limit::silence, left);
    return;
  }
  const bool has_begun = relay_.is_committed() || relay_.has_first_event();
  on_attempt_failed(Error{
      has_begun ? ErrorKind::between_bytes_timeout : ErrorKind::first_byte_timeout, false, 0});
}

void Exchange::on_hold_over() {
  if (state_ != State::sending) return;
  relay_.release_hold();
  if (relay_.is_committed()) on_committed();
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
    log_debug("exchange " + std::string(facts_.id()) + ": backend " + std::string(backend_id()) +
              ": " + describe(error));
  }
  const bool is_body_held = body_.is_held() || !body_.was_touched();
  const bool is_again =
      pending_ && pending_->attempts.tries_again({error, progress(), lease_.serial(), is_body_held},
                                                 context_.loop.now());
  if (!is_again && error.kind == ErrorKind::backend_declined) {
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
  if (is_again) {
    try_again();
  } else {
    fail(error);
  }
}

void Exchange::try_again() {
  drop_backend();
  lease_ = {};
  relay_.reset();
  body_.rewind();
  pending_->draft.sent = 0;
  forget_attempt();
  ask_for_lease();
}

// What the report says of an answer is said of the one that the client gets.
void Exchange::forget_attempt() {
  deadlines_.clear(Limit::hold);
  deadlines_.clear(Limit::silence);
  report_.first_byte = report_.first_event = report_.last_event = {};
  report_.longest_gap = {};
  report_.bytes_out = report_.events = 0;
  report_.tokens_in = report_.tokens_out = -1;
  report_.is_stream = report_.has_stream_error = false;
}

void Exchange::fail(const Error& error) {
  const bool is_after_failure =
      pending_ && pending_->attempts.reason() && means_no_backend(error.kind);
  const Error shown = is_after_failure ? *pending_->attempts.reason() : error;
  report_.has_error = true;
  report_.error = shown;
  std::string message;
  if (means_no_backend(shown.kind)) {
    message = context_.balancer.describe_backends();
  } else if (blame(shown.kind) == Blame::backend && !backend_id().empty()) {
    message = "backend " + std::string(backend_id()) + ": ";
    message += traits(shown.kind).message;
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
      facts_.client_keeps_alive && body_.is_complete() && error.kind != ErrorKind::draining;
  http::ErrorAnswer answer;
  answer.kind = error.kind;
  answer.message = message;
  answer.request_id = facts_.id();
  answer.backend = backend_id();
  answer.attempts = report_.attempts;
  answer.retry_after_ms = retry_after_ms(context_, error.kind);
  answer.client_minor_version = facts_.client_minor_version;
  answer.close = !keeps_client;
  answer.is_head = facts_.method == http::Method::head;
  context_.out.clear();
  http::append_error_response(answer, &context_.out);
  report_.status = traits(error.kind).status;
  write_to_client(context_.out, {});
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

void Exchange::answer_locally(const LocalAnswer& answer) {
  const bool keeps_client =
      facts_.client_keeps_alive && facts_.framing.kind == http::BodyKind::none;
  report_.is_probe_path = true;
  report_.status = answer.status;
  context_.out.clear();
  append_local_answer(answer, facts_, keeps_client, &context_.out);
  write_to_client(context_.out, {});
  finish(keeps_client ? ClientFate::keep : ClientFate::close);
}

void Exchange::refuse(const Error& error) {
  if (state_ != State::done) fail(error);
}

void Exchange::on_client_gone(ErrorKind why) {
  // A client that closes after [DONE] has had its answer.
  if (relay_.is_done_event_seen()) {
    if (lease_) lease_.succeeded(context_.loop.now());
  } else {
    report_.has_error = true;
    report_.error = Error{why, false, 0};
  }
  client_ = nullptr;
  finish(ClientFate::cut);
}

void Exchange::drop_backend() {
  if (backend_) context_.pool.discard(std::move(backend_));
}

void Exchange::drop_pending() {
  if (!pending_) return;
  pending_->place.leave();
  body_.forget_small();
  relay_.forget_held();
  pending_->trim();
  context_.pending.give_back(std::move(pending_));
}

// Of the last attempt, also between two.
std::string_view Exchange::backend_id() const {
  if (pending_) return pending_->backend_id;
  return lease_ ? std::string_view(lease_.backend().id) : std::string_view();
}

void Exchange::tell_observer() {
  ExchangeReport report;
  static_cast<ExchangeNumbers&>(report) = report_;
  facts_.tell(&report);
  report.pool = context_.balancer.options().pool;
  report.backend = backend_id();
  report.finish_reason = relay_.finish_reason();
  context_.observer.on_exchange(report);
}

void Exchange::finish(ClientFate fate) {
  become(State::done);
  tunnel_.reset();
  body_.clear();
  drop_backend();  // closing it is what stops the generation
  deadlines_.clear_all();
  if (Exchange* moved = context_.leave(active_index_)) moved->active_index_ = active_index_;
  report_.ended = context_.loop.now();
  tell_observer();
  drop_pending();
  lease_ = {};
  facts_.release();
  relay_.reset();
  if (client_ == nullptr) return;
  ExchangeClient* client = client_;
  client_ = nullptr;
  client->on_exchange_done(client_failed_ ? ClientFate::reset : fate);
}

}  // namespace weir
