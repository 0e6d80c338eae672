// How the head of an answer is taken, judged and written anew. The other half of
// response_relay.cpp.
#include "lb/http/ascii.h"
#include "lb/http/head_rewriter.h"
#include "lb/proxy/proxy_context.h"
#include "lb/proxy/response_relay.h"

namespace weir {
namespace {

constexpr int kMostInterims = 32;

}  // namespace

// Takes bytes up to the end of a head, of which there may be several (1xx).
ResponseRelay::Status ResponseRelay::take_head(std::string_view* bytes) {
  const size_t had = head_.size();
  if (had == 0) {
    size_t length = 0;
    const http::ResponseHead* whole = context_.response_parser.take_response(
        *bytes, request_.facts->method, context_.options.head_limits, &length);
    if (whole != nullptr) {
      const Status status = judge_head(*whole, length);
      bytes->remove_prefix(length);
      return status;
    }
  }
  std::string_view all = *bytes;
  if (had > 0) {
    head_.append(*bytes);
    all = head_;
  }
  switch (scanner_.scan(all, context_.options.head_limits.head_bytes)) {
    case http::HeadState::incomplete:
      if (had == 0) head_.assign(*bytes);
      *bytes = {};
      return Status::more;
    case http::HeadState::bad:
    case http::HeadState::too_large:
      return fail(ErrorKind::bad_response);
    case http::HeadState::complete:
      break;
  }
  const size_t length = scanner_.head_length();
  const auto head = context_.response_parser.parse_response(
      all.substr(0, length), request_.facts->method, !request_.facts->upgrade().empty(),
      context_.options.head_limits);
  if (!head) return fail(ErrorKind::bad_response);
  const Status status = judge_head(**head, length);
  bytes->remove_prefix(length - had);
  scanner_.reset();
  release_text(&head_);
  return status;
}

ResponseRelay::Status ResponseRelay::judge_head(const http::ResponseHead& head, size_t bytes) {
  if (head.status == 101) return switch_protocols(head);
  return head.status < 200 ? pass_interim(head, bytes) : accept_head(head);
}

// 100 was asked for by nobody: weir answers Expect itself. The others are the client's, if it can
// understand them.
ResponseRelay::Status ResponseRelay::pass_interim(const http::ResponseHead& head, size_t bytes) {
  interim_bytes_ += bytes;
  if (++interims_ > kMostInterims || interim_bytes_ > context_.options.head_limits.head_bytes) {
    return fail(ErrorKind::bad_response);
  }
  if (!head.keep_alive) is_spoilt_by_interim_ = true;
  if (head.status == 100 || request_.facts->client_minor_version == 0) return Status::more;
  http::ResponseRewrite how = rewrite_by_options();
  how.attempts = 0;
  context_.out.clear();
  http::rewrite_response(head, how, &context_.out);
  sink_.write_to_client(context_.out, {});
  return Status::more;
}

http::ResponseRewrite ResponseRelay::rewrite_by_options() const {
  http::ResponseRewrite how;
  how.adds_via = context_.options.adds_via;
  how.rules = context_.options.header_down;
  return how;
}

http::ResponseRewrite ResponseRelay::rewrite_of_answer() const {
  http::ResponseRewrite how = rewrite_by_options();
  how.request_id = request_.facts->id();
  how.backend = request_.backend;
  how.attempts = request_.attempts;
  return how;
}

ResponseRelay::Status ResponseRelay::switch_protocols(const http::ResponseHead& head) {
  const auto protocol = head.fields.find(http::FieldName::upgrade);
  if (!protocol || !http::equals_without_case(*protocol, request_.facts->upgrade())) {
    return fail(ErrorKind::bad_response);
  }
  if (head.fields.find(http::FieldName::content_length) ||
      head.fields.find(http::FieldName::transfer_encoding)) {
    return fail(ErrorKind::bad_response);
  }
  has_head_ = is_committed_ = true;
  report_.status = status_ = head.status;
  http::ResponseRewrite how = rewrite_of_answer();
  how.passes_upgrade = true;
  context_.out.clear();
  http::rewrite_response(head, how, &context_.out);
  sink_.write_to_client(context_.out, {});
  return Status::switched;
}

ResponseRelay::Status ResponseRelay::accept_head(const http::ResponseHead& head) {
  has_head_ = true;
  status_ = head.status;
  is_event_stream_ = head.is_event_stream;
  is_encoded_ = head.is_encoded;
  looks_at_events_ = is_event_stream_ && !is_encoded_;
  backend_may_be_reused_ =
      head.keep_alive && head.framing.kind != http::BodyKind::until_close && !is_spoilt_by_interim_;
  reader_.start(head.framing);
  is_clean_boundary_ = true;
  report_.is_stream = is_event_stream_;

  http::ResponseRewrite how = rewrite_of_answer();
  choose_framing(head, &how);
  choose_hold(head, how.framing);
  how.client_minor_version = request_.facts->client_minor_version;
  how.client_keeps_alive = keeps_client_;
  http::rewrite_response(head, how, held_);
  held_head_ = held_->size();
  return Status::more;
}

// How the body will be sent to this client.
void ResponseRelay::choose_framing(const http::ResponseHead& head, http::ResponseRewrite* how) {
  how->framing = head.framing;
  const bool is_chunked = head.framing.kind == http::BodyKind::chunked;
  const bool is_undelimited = is_chunked || head.framing.kind == http::BodyKind::until_close;
  if (is_undelimited && request_.facts->client_minor_version == 0) {
    mode_ = Mode::plain;
    how->framing = {http::BodyKind::until_close, 0};
    keeps_client_ = false;
  } else if (head.framing.kind == http::BodyKind::until_close) {
    mode_ = Mode::rechunk;
    how->framing = {http::BodyKind::chunked, 0};
  }
  passes_trailers_ = is_chunked && mode_ == Mode::raw && request_.facts->accepts_trailers;
  how->passes_trailers = passes_trailers_;
}

void ResponseRelay::choose_hold(const http::ResponseHead& head, http::Framing framing) {
  if (!request_.facts->is_inference) return;
  const bool may_wait = context_.options.hold > Duration::zero();
  if (looks_at_events_ && head.status == 200 && may_wait) {
    hold_ = Hold::first_event;
    return;
  }
  // Of a 503 the status says all: whatever its body is, it may be a reason to go elsewhere.
  const bool may_be_bad = (head.is_json && !is_encoded_) || head.status == 503;
  if (may_be_bad && framing.kind == http::BodyKind::length &&
      framing.length <= context_.options.plain_hold_bytes) {
    // An answer that finds no room passes as it comes: it can no longer go elsewhere, that is all.
    if (framing.length > context_.options.plain_hold_total - context_.held_bytes) return;
    reserved_ = static_cast<size_t>(framing.length);
    context_.held_bytes += reserved_;
    hold_ = Hold::whole;
  }
}

}  // namespace weir
