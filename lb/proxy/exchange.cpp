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
      place_(bind<&Exchange::on_place_answer>(this)),
      silence_(context.loop.timers(), bind<&Exchange::on_silence>(this)),
      hold_(context.loop.timers(), bind<&Exchange::on_hold_over>(this)),
      resume_(context.loop, bind<&Exchange::on_resume>(this)) {}

Exchange::~Exchange() = default;

void Exchange::become(State next) {
  WEIR_ASSERT(may_follow(state_, next));
  state_ = next;
}

void Exchange::begin(ExchangeClient& client, const http::RequestHead& head,
                     const http::PathVerdict& verdict, std::string_view client_address) {
  if (state_ == State::done) become(State::idle);
  client_ = &client;
  method_ = head.method;
  shape_ = verdict.shape;
  framing_ = head.framing;
  client_minor_version_ = head.minor_version;
  client_keeps_alive_ = head.keep_alive && !context_.is_draining;
  expects_continue_ = head.expects_continue && head.framing.kind != http::BodyKind::none;
  is_repeatable_ = http::is_repeatable(head.method, verdict.path_class);
  is_inference_ = verdict.path_class == http::PathClass::inference;
  may_reuse_ = true;
  is_backend_paused_ = client_failed_ = false;
  wish_ = {};
  excluded_ = 0;
  retry_reason_.reset();
  head_sent_ = 0;
  path_.assign(head.path);
  client_address_.assign(client_address);
  request_id_.assign(head.request_id.empty() ? context_.ids.next() : head.request_id);
  backend_id_.clear();
  report_ = {};
  report_.accepted = last_byte_ = context_.loop.now();
  report_.request_id = request_id_;
  report_.client = client_address_;
  report_.method = http::to_string(method_);
  report_.path = path_;
  report_.pool = context_.balancer.options().pool;
  http::RequestRewrite how;
  how.client_address = client_address_;
  how.request_id = request_id_;
  how.rules = context_.options.header_up;
  request_.clear();
  http::rewrite_request(head, how, &request_);
  body_.start(framing_, context_.options.replay_bytes, is_repeatable_);
  relay_.reset();
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
  Result<std::optional<Lease>> answer =
      context_.balancer.ask(wish_, place_, context_.waker, context_.loop.now());
  if (!answer) {
    fail(answer.error());
  } else if (answer->has_value()) {
    on_lease(std::move(**answer));
  }
}

void Exchange::on_place_answer() {
  Result<Lease> answer = place_.take_answer();
  if (answer) {
    on_lease(std::move(*answer));
  } else {
    fail(answer.error());
  }
}

void Exchange::on_lease(Lease lease) {
  lease_ = std::move(lease);
  if (report_.leased == TimePoint{}) report_.leased = context_.loop.now();
  backend_id_.assign(lease_.backend().id);
  report_.backend = backend_id_;
  become(State::connecting);
  if (expects_continue_) {
    expects_continue_ = false;
    write_to_client("HTTP/1.1 100 Continue\r\n\r\n", {});
    client_->resume_request_body();
    if (state_ != State::connecting) return;
  }
  // What must not be sent twice does not go over a connection that its backend may just be closing.
  const bool may_reuse = may_reuse_ && body_.is_held();
  backend_ = context_.pool.get(lease_, may_reuse, *this);
  if (backend_->state() == BackendConnection::State::busy) begin_sending();
}

void Exchange::on_backend_connected() {
  begin_sending();
}

void Exchange::begin_sending() {
  become(State::sending);
  report_.connected = context_.loop.now();
  last_byte_ = context_.loop.now();
  is_backend_broken_ = false;
  ++report_.attempts;
  const BackendSpec& spec = lease_.backend();
  head_.clear();
  head_sent_ = 0;
  http::finish_request(request_, {spec.api_key, spec.host_header}, method_, framing_, &head_);
  relay_.start(RelayRequest{request_id_, backend_id_, report_.attempts, method_, shape_,
                            client_minor_version_, client_keeps_alive_, is_inference_});
  if (context_.options.first_byte > Duration::zero())
    silence_.set_after(context_.options.first_byte);
  pump();
}

void Exchange::pump() {
  const bool was_full = body_.is_full();
  switch (body_.pump(backend_->stream(), head_, &head_sent_)) {
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

void Exchange::on_backend_writable() {
  if (state_ == State::sending) pump();
}

void Exchange::on_backend_readable() {
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
    ResponseRelay::Status status;
    if (result.status == Stream::ReadStatus::data) {
      last_byte_ = context_.loop.now();
      if (report_.first_byte == TimePoint{}) report_.first_byte = last_byte_;
      const bool was_holding = relay_.is_holding();
      if (!body_.is_complete() || body_.unsent() > 0) relay_.will_close_client();
      status = relay_.feed({context_.scratch.data(), result.bytes});
      if (client_failed_) return;
      if (!was_holding && relay_.is_holding()) hold_.set_after(context_.options.hold);
      touch_silence();
    } else {
      status = relay_.on_close();
    }
    if (status == ResponseRelay::Status::done) {
      on_response_done();
      return;
    }
    if (status == ResponseRelay::Status::failed) {
      Error error = relay_.error();
      error.on_reused_connection = backend_->is_reused();
      error.os_error = result.os_error;
      on_attempt_failed(error);
      return;
    }
    if (relay_.is_committed() && body_.is_held()) body_.stop_holding();
    if (!stream.is_readable()) return;
  }
}

void Exchange::on_resume() {
  if (client_failed_ && client_ != nullptr) {
    client_->on_client_broken();
    return;
  }
  if (state_ == State::sending && backend_->stream().is_readable()) on_backend_readable();
}

// The answer has begun: from now on the time between bytes counts, if there is a limit at all.
void Exchange::touch_silence() {
  if (!relay_.has_first_event()) return;  // an event stream begins with its first event
  if (context_.options.between_bytes > Duration::zero()) {
    silence_.set_after(context_.options.between_bytes);
  } else {
    silence_.clear();
  }
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
  if (head_sent_ > 0 && state_ == State::sending) return Progress::sent;
  return Progress::not_sent;
}

}  // namespace weir
