#include "lb/proxy/response_relay.h"

#include "weir/assert.h"

#include "lb/http/answer_look.h"
#include "lb/http/error_response.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr size_t kNowhere = ~size_t{0};

// A string that held much gives its memory back: thousands of open streams would keep it.
void release(std::string* text) {
  text->clear();
  if (text->capacity() > 1024) text->shrink_to_fit();
}

}  // namespace

ResponseRelay::ResponseRelay(ProxyContext& context, RelaySink& sink, ExchangeReport& report)
    : context_(context), sink_(sink), report_(report) {}

void ResponseRelay::start(const RelayRequest& request) {
  reset();
  request_ = request;
}

void ResponseRelay::reset() {
  scanner_.reset();
  events_ = http::EventScanner();
  release(&head_);
  release(&held_);
  error_ = {};
  status_ = 0;
  mode_ = Mode::raw;
  hold_ = Hold::none;
  has_begun_ = has_head_ = is_committed_ = is_event_stream_ = is_encoded_ = false;
  looks_at_events_ = has_first_event_ = is_done_event_seen_ = false;
  backend_may_be_reused_ = false;
  is_clean_boundary_ = false;
  passes_declined_ = false;
}

ResponseRelay::Status ResponseRelay::feed(std::string_view bytes) {
  has_begun_ = true;
  while (!has_head_) {
    const Status status = take_head(&bytes);
    if (status == Status::failed) return status;
    if (!has_head_ && bytes.empty()) return Status::more;
  }
  return feed_body(bytes);
}

// Takes bytes up to the end of a head, of which there may be several (1xx).
ResponseRelay::Status ResponseRelay::take_head(std::string_view* bytes) {
  const size_t had = head_.size();
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
  const auto head = context_.response_parser.parse_response(all.substr(0, length), request_.method,
                                                            false, context_.options.head_limits);
  if (!head) return fail(ErrorKind::bad_response);
  const Status status = accept_head(**head);
  bytes->remove_prefix(length - had);
  scanner_.reset();
  release(&head_);
  return status;
}

ResponseRelay::Status ResponseRelay::accept_head(const http::ResponseHead& head) {
  if (head.status == 101) return fail(ErrorKind::bad_response);
  if (head.status < 200)
    return Status::more;  // 100 was answered by us; others are not passed on yet
  has_head_ = true;
  status_ = head.status;
  is_event_stream_ = head.is_event_stream;
  is_encoded_ = head.is_encoded;
  looks_at_events_ = is_event_stream_ && !is_encoded_;
  backend_may_be_reused_ = head.keep_alive && head.framing.kind != http::BodyKind::until_close;
  reader_.start(head.framing);
  is_clean_boundary_ = true;
  report_.is_stream = is_event_stream_;

  http::Framing framing = head.framing;
  const bool is_undelimited =
      framing.kind == http::BodyKind::until_close || framing.kind == http::BodyKind::chunked;
  if (is_undelimited && request_.client_minor_version == 0) {
    mode_ = Mode::plain;
    framing = {http::BodyKind::until_close, 0};
    request_.keeps_alive = false;
  } else if (framing.kind == http::BodyKind::until_close) {
    mode_ = Mode::rechunk;
    framing = {http::BodyKind::chunked, 0};
  }
  if (request_.may_hold && looks_at_events_ && head.status == 200) {
    hold_ = Hold::first_event;
  } else if (request_.may_hold && head.is_json && !is_encoded_ &&
             framing.kind == http::BodyKind::length &&
             framing.length <= context_.options.plain_hold_bytes) {
    hold_ = Hold::whole;
  }
  http::ResponseRewrite how;
  how.request_id = request_.request_id;
  how.backend = request_.backend;
  how.attempts = request_.attempts;
  how.client_minor_version = request_.client_minor_version;
  how.client_keeps_alive = request_.keeps_alive;
  how.framing = framing;
  how.rules = context_.options.header_down;
  http::rewrite_response(head, how, &held_);
  return Status::more;
}

ResponseRelay::Status ResponseRelay::feed_body(std::string_view bytes) {
  size_t cursor = 0;
  size_t run_begin = 0;
  // Up to here everything in `bytes` ends at a chunk and event boundary: the place to cut at.
  size_t safe_end = is_clean_boundary_ ? 0 : kNowhere;
  for (;;) {
    const std::string_view rest = bytes.substr(cursor);
    const http::BodyReader::Piece piece = reader_.next(rest);
    switch (piece.kind) {
      case http::BodyReader::PieceKind::data:
        if (!take_data(rest.substr(0, piece.length))) {
          const bool is_clean = safe_end != kNowhere;
          const size_t end = is_clean ? std::max(safe_end, run_begin) : run_begin;
          return fail_aborted(bytes.substr(run_begin, end - run_begin), is_clean);
        }
        cursor += piece.length;
        if (mode_ != Mode::raw) run_begin = cursor;
        break;
      case http::BodyReader::PieceKind::framing:
        cursor += piece.length;
        if (mode_ != Mode::raw) run_begin = cursor;
        if (reader_.is_at_chunk_boundary() &&
            (!looks_at_events_ || events_.is_at_event_boundary())) {
          safe_end = cursor;
        }
        break;
      case http::BodyReader::PieceKind::strip:
        pass(bytes.substr(run_begin, cursor - run_begin));
        cursor += piece.length;
        run_begin = cursor;
        break;
      case http::BodyReader::PieceKind::more:
        is_clean_boundary_ = safe_end == cursor;
        pass(bytes.substr(run_begin, cursor - run_begin));
        return Status::more;
      case http::BodyReader::PieceKind::end:
        if (cursor < bytes.size()) backend_may_be_reused_ = false;
        if (hold_ == Hold::none || is_committed_ || run_begin < cursor) {
          pass(bytes.substr(run_begin, cursor - run_begin));
        }
        return finish();
      case http::BodyReader::PieceKind::bad:
        return fail(is_committed_ ? ErrorKind::stream_interrupted : ErrorKind::bad_response);
    }
  }
}

// Looks at the events that end in this piece; false when one of them must not reach the client.
bool ResponseRelay::take_data(std::string_view data) {
  report_.bytes_out += data.size();
  std::string_view rest = data;
  while (looks_at_events_) {
    const size_t end = events_.next_event_end(rest);
    if (end == http::EventScanner::kNone) break;
    const http::EventLook& look = events_.look();
    if (look.is_abort && !context_.options.passes_aborted) return false;
    note_event(look);
    rest.remove_prefix(end);
  }
  if (mode_ != Mode::raw) pass_data(data);
  return true;
}

void ResponseRelay::note_event(const http::EventLook& look) {
  if (!look.has_data) return;  // a comment proves life, but is no event
  has_first_event_ = true;
  if (look.is_done) {
    is_done_event_seen_ = true;
    return;
  }
  const TimePoint now = context_.loop.now();
  if (report_.events == 0) {
    report_.first_event = now;
  } else {
    report_.longest_gap = std::max(report_.longest_gap, now - report_.last_event);
  }
  report_.last_event = now;
  ++report_.events;
  if (look.is_error) report_.has_stream_error = true;
  if (look.prompt_tokens >= 0) report_.tokens_in = look.prompt_tokens;
  if (look.completion_tokens >= 0) report_.tokens_out = look.completion_tokens;
}

// Bytes for the client, framing and all: at once when committed, else behind the head that is held.
void ResponseRelay::pass(std::string_view run) {
  if (is_committed_) {
    if (!run.empty()) sink_.write_to_client(run, {});
    return;
  }
  const bool is_over =
      hold_ == Hold::none || (hold_ == Hold::first_event && has_first_event_) ||
      (hold_ == Hold::first_event && held_.size() + run.size() > context_.options.hold_bytes);
  if (!is_over) {
    held_.append(run);
    return;
  }
  is_committed_ = true;
  report_.status = status_;
  sink_.write_to_client(held_, run);
  release(&held_);
}

void ResponseRelay::pass_data(std::string_view data) {
  if (data.empty()) return;
  if (mode_ == Mode::plain) {
    pass(data);
    return;
  }
  char line[18];
  const size_t n = http::write_chunk_size(data.size(), line);
  pass({line, n});
  pass(data);
  pass("\r\n");
}

void ResponseRelay::commit() {
  if (is_committed_) return;
  hold_ = Hold::none;
  pass({});
}

void ResponseRelay::release_hold() {
  if (has_head_ && hold_ == Hold::first_event) commit();
}

ResponseRelay::Status ResponseRelay::finish() {
  if (hold_ == Hold::whole && !is_committed_) {
    const size_t begin = held_.find("\r\n\r\n");
    WEIR_ASSERT(begin != std::string::npos);
    const std::string_view body = std::string_view(held_).substr(begin + 4);
    if (!passes_declined_ && http::is_decline(status_, body)) {
      return fail(ErrorKind::backend_declined);
    }
    const http::AnswerLook look = http::look_at_answer(body);
    if (look.is_abort && !context_.options.passes_aborted) return fail(ErrorKind::stream_aborted);
    if (look.prompt_tokens >= 0) report_.tokens_in = look.prompt_tokens;
    if (look.completion_tokens >= 0) report_.tokens_out = look.completion_tokens;
  }
  commit();
  if (mode_ == Mode::rechunk) pass(kLastChunk);
  report_.finish_reason = events_.finish_reason();
  return Status::done;
}

ResponseRelay::Status ResponseRelay::pass_declined() {
  passes_declined_ = true;
  return finish();
}

ResponseRelay::Status ResponseRelay::on_close() {
  if (!has_head_) return fail(ErrorKind::backend_closed);
  if (!reader_.ends_well_at_close()) {
    return fail(is_committed_ ? ErrorKind::stream_interrupted : ErrorKind::backend_closed);
  }
  return finish();
}

ResponseRelay::Status ResponseRelay::fail(ErrorKind kind) {
  error_ = Error{kind, false, 0};
  backend_may_be_reused_ = false;
  return Status::failed;
}

// The abort event is withheld. What came before it in this read, up to the last clean place, is
// passed on if a part of the answer has been seen already or will be; when nothing was committed
// the exchange may still go elsewhere.
ResponseRelay::Status ResponseRelay::fail_aborted(std::string_view safe_run, bool is_clean_cut) {
  if (is_committed_ && is_clean_cut) pass(safe_run);
  is_clean_boundary_ = is_clean_cut;
  return fail(ErrorKind::stream_aborted);
}

bool ResponseRelay::write_error_event(ErrorKind kind, std::string_view message) {
  const bool is_chunked =
      mode_ == Mode::rechunk || (mode_ == Mode::raw && reader_.kind() == http::BodyKind::chunked);
  if (!is_committed_ || !looks_at_events_ || !is_chunked || !is_clean_boundary_) return false;
  std::string event;
  http::append_error_event(request_.shape, kind, message, &event);
  char line[18];
  const size_t n = http::write_chunk_size(event.size(), line);
  std::string chunk(line, n);
  chunk += event;
  chunk += "\r\n";
  sink_.write_to_client(chunk, {});
  return true;
}

}  // namespace weir
