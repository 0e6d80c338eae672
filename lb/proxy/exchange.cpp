#include "lb/proxy/exchange.h"

#include "weir/assert.h"

#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

// A backend that floods is left after so many full reads, so that others get their turn.
constexpr int kReadsPerTurn = 8;

bool may_follow(Exchange::State from, Exchange::State to) {
  using enum Exchange::State;
  switch (to) {
    case idle:
      return from == done;
    case waiting:
      return from == idle || from == connecting || from == sending;
    case connecting:
      return from == waiting;
    case sending:
      return from == connecting;
    case tunnel:
      return from == sending;
    case done:
      return from != done;
  }
  return false;
}

}  // namespace

Exchange::Exchange(ProxyContext& context)
    : context_(context),
      body_(context.replay_blocks),
      relay_(context, *this, report_),
      deadlines_(context.loop.timers(), bind<&Exchange::on_limit>(this)),
      resume_(context.loop, bind<&Exchange::on_resume>(this)) {}

Exchange::~Exchange() = default;

void Exchange::become(State next) {
  WEIR_ASSERT(may_follow(state_, next));
  state_ = next;
}

void Exchange::begin(ExchangeClient& client, const http::RequestHead& head,
                     const http::PathVerdict& verdict, const ClientPeer& peer) {
  if (state_ == State::done) become(State::idle);
  client_ = &client;
  const std::string_view id = head.request_id.empty() ? context_.ids.next() : head.request_id;
  facts_.take(head, verdict, peer, id, context_.options);
  facts_.client_keeps_alive = head.keep_alive && !context_.is_draining;
  pending_ = context_.pending.take(context_.balancer, context_.options);
  pending_->on_placed = bind<&Exchange::on_place_answer>(this);
  pending_->backend_id.clear();
  pending_->attempts.start(head.method, facts_.is_repeatable);
  facts_.write(head, peer, context_.options, &pending_->draft);
  expects_continue_ = head.expects_continue && head.framing.kind != http::BodyKind::none;
  is_backend_paused_ = client_failed_ = false;
  report_ = {};
  report_.accepted = last_byte_ = context_.loop.now();
  body_.start(head.framing, context_.options.replay_bytes, facts_.is_repeatable,
              &pending_->small_body);
  deadlines_.set_after(Limit::request, context_.options.request);
  active_index_ = context_.enter(*this);
}

void Exchange::on_request_body(std::string_view data) {
  expects_continue_ = false;
  report_.bytes_in += data.size();
  if (body_.add(data) == RequestBody::Added::out_of_memory) {
    refuse(Error{ErrorKind::out_of_memory, false, 0});
    return;
  }
  if (state_ == State::sending) pump();
}

void Exchange::on_request_body_grown(size_t bytes) {
  body_.grow(bytes);
  report_.bytes_in += bytes;
  if (bytes > 0 && state_ == State::sending) pump();
}

void Exchange::on_request_end() {
  if (body_.finish() == RequestBody::Added::out_of_memory) {
    refuse(Error{ErrorKind::out_of_memory, false, 0});
    return;
  }
  if (state_ == State::sending) pump();
}

bool Exchange::wants_request_body() const {
  return !body_.is_complete() && !body_.is_full() && !expects_continue_;
}

void Exchange::start() {
  if (state_ == State::idle) ask_for_lease();
}

void Exchange::ask_for_lease() {
  become(State::waiting);
  Result<std::optional<Lease>> answer = context_.balancer.ask(
      pending_->attempts.wish(), pending_->place, context_.waker, context_.loop.now());
  if (!answer) {
    fail(answer.error());
  } else if (answer->has_value()) {
    on_lease(std::move(**answer));
  }
}

void Exchange::on_place_answer() {
  Result<Lease> answer = pending_->place.take_answer();
  if (answer) {
    on_lease(std::move(*answer));
  } else {
    fail(answer.error());
  }
}

void Exchange::on_lease(Lease lease) {
  lease_ = std::move(lease);
  if (report_.leased == TimePoint{}) report_.leased = context_.loop.now();
  pending_->backend_id.assign(lease_.backend().id);
  become(State::connecting);
  if (expects_continue_) {
    expects_continue_ = false;
    write_to_client("HTTP/1.1 100 Continue\r\n\r\n", {});
    client_->resume_request_body();
    if (state_ != State::connecting) return;
  }
  // What must not be sent twice does not go over a connection that its backend may just be closing.
  const bool may_reuse = pending_->attempts.may_reuse() && body_.is_held();
  backend_ = context_.pool.get(lease_, may_reuse, *this);
  if (backend_->state() == BackendConnection::State::busy) begin_sending();
}

void Exchange::on_backend_connected() {
  begin_sending();
}

void Exchange::begin_sending() {
  become(State::sending);
  report_.connected = last_byte_ = context_.loop.refresh_now();  // what it took us is told
  is_backend_broken_ = false;
  pending_->attempts.note_send();
  report_.attempts = pending_->attempts.sends();
  const BackendSpec& spec = lease_.backend();
  RequestDraft& draft = pending_->draft;
  draft.head.clear();
  draft.sent = 0;
  http::finish_request(draft.request, {spec.api_key, spec.host_header}, facts_.method,
                       facts_.framing, &draft.head);
  relay_.start({&facts_, backend_id(), report_.attempts}, &pending_->held);
  deadlines_.set_after(Limit::silence, context_.options.first_byte);
  pump();
}

void Exchange::pump() {
  const bool was_full = body_.is_full();
  switch (body_.pump(backend_->stream(), pending_ ? &pending_->draft : nullptr)) {
    case RequestBody::Pumped::failed:
      // The answer (a refusal) may be there all the same, whether an event told of it or not.
      is_backend_broken_ = true;
      on_backend_readable();
      return;
    case RequestBody::Pumped::all_sent:
    case RequestBody::Pumped::blocked:
    case RequestBody::Pumped::waits_for_client:
      break;
  }
  if (was_full && !body_.is_full()) client_->resume_request_body();
}

bool Exchange::is_request_sent() const {
  const bool is_head_sent = !pending_ || pending_->draft.is_sent();
  return is_head_sent && body_.is_complete() && body_.unsent() == 0;
}

void Exchange::on_backend_writable() {
  if (state_ == State::sending) pump();
  if (state_ == State::tunnel) settle_tunnel(tunnel_->on_writable(Tunnel::Side::backend));
}

void Exchange::on_backend_readable() {
  if (state_ == State::tunnel) {
    settle_tunnel(tunnel_->on_readable(Tunnel::Side::backend));
    return;
  }
  for (int reads = 0; !is_backend_paused_; ++reads) {
    if (reads == kReadsPerTurn) {
      resume_.post();
      return;
    }
    Stream& stream = backend_->stream();
    const Stream::ReadResult result = stream.read(context_.scratch.data(), context_.scratch.size());
    if (result.status == Stream::ReadStatus::would_block) {
      if (is_backend_broken_) {
        on_attempt_failed(
            Error{ErrorKind::backend_closed, backend_->is_reused(), stream.os_error()});
      }
      return;
    }
    const ResponseRelay::Status status =
        result.status == Stream::ReadStatus::data
            ? take_response({context_.scratch.data(), result.bytes})
            : relay_.on_close();
    if (client_failed_) return;
    if (status != ResponseRelay::Status::more) {
      on_response_over(status, result);
      return;
    }
    if (pending_ && relay_.is_committed()) on_committed();
    if (!stream.is_readable()) return;
  }
}

void Exchange::on_response_over(ResponseRelay::Status status, const Stream::ReadResult& result) {
  if (status == ResponseRelay::Status::done) {
    on_response_done();
    return;
  }
  if (status == ResponseRelay::Status::switched) {
    begin_tunnel({context_.scratch.data() + result.bytes - relay_.unread(), relay_.unread()});
    return;
  }
  Error error = relay_.error();
  error.on_reused_connection = backend_->is_reused();
  error.os_error = result.os_error;
  on_attempt_failed(error);
}

ResponseRelay::Status Exchange::take_response(std::string_view bytes) {
  last_byte_ = context_.loop.now();
  if (!relay_.is_flowing()) return take_beginning(bytes);
  const ResponseRelay::Status status = relay_.feed(bytes);
  lease_.saw_byte(last_byte_);
  return status;
}

// Up to the read in which the answer begins to flow.
ResponseRelay::Status Exchange::take_beginning(std::string_view bytes) {
  if (report_.first_byte == TimePoint{}) report_.first_byte = last_byte_;
  const bool was_holding = relay_.is_holding();
  if (!is_request_sent()) relay_.will_close_client();
  const ResponseRelay::Status status = relay_.feed(bytes);
  // The head of an event stream comes from an engine that hangs, too.
  if (relay_.has_first_event()) lease_.saw_byte(last_byte_);
  if (client_failed_) return status;
  if (!was_holding && relay_.is_holding()) deadlines_.set_after(Limit::hold, context_.options.hold);
  touch_silence();
  return status;
}

// The client has seen a part of the answer: the request will not be sent again.
void Exchange::on_committed() {
  deadlines_.clear(Limit::request);
  if (body_.is_held()) body_.stop_holding();
  if (pending_ && is_request_sent()) drop_pending();
}

void Exchange::on_resume() {
  if (client_failed_ && client_ != nullptr) {
    client_->on_client_broken();
    return;
  }
  if (state_ == State::tunnel) settle_tunnel(tunnel_->on_readable(Tunnel::Side::backend));
  if (state_ == State::tunnel) client_->resume_request_body();
  if (state_ == State::sending && backend_->stream().is_readable()) on_backend_readable();
}

// The answer has begun: from now on the time between bytes counts, if there is a limit at all.
// Later bytes do not come here: on_silence() looks when the last one came.
void Exchange::touch_silence() {
  if (!relay_.has_first_event()) return;  // an event stream begins with its first event
  deadlines_.clear(Limit::request);
  deadlines_.set_after(Limit::silence, context_.options.between_bytes);
}

void Exchange::write_to_client(std::string_view first, std::string_view second) {
  if (client_failed_) return;
  Stream& stream = client_->client_stream();
  switch (stream.write(first, second)) {
    case Stream::WriteStatus::sent:
      return;
    case Stream::WriteStatus::queued:
      client_->on_output_queued();
      if (stream.queued() > kHighWater) is_backend_paused_ = true;
      return;
    case Stream::WriteStatus::failed:
      break;
  }
  client_failed_ = true;
  resume_.post();
}

void Exchange::on_client_drained() {
  if (!is_backend_paused_ || state_ != State::sending) return;
  is_backend_paused_ = false;
  touch_silence();
  if (backend_->stream().is_readable() || backend_->stream().has_hangup()) on_backend_readable();
}

Progress Exchange::progress() const {
  if (relay_.is_committed()) return Progress::committed;
  if (relay_.has_begun()) return Progress::response_begun;
  if (state_ == State::sending && pending_ && pending_->draft.sent > 0) return Progress::sent;
  return Progress::not_sent;
}

}  // namespace weir
