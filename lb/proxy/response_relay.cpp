#include "lb/proxy/response_relay.h"

#include "weir/assert.h"

#include "lb/http/answer_look.h"
#include "lb/http/error_response.h"
#include "lb/http/trailer_filter.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr size_t kNowhere = ~size_t{0};

}  // namespace

ResponseRelay::ResponseRelay(ProxyContext& context, RelaySink& sink, ExchangeNumbers& report)
    : context_(context), sink_(sink), report_(report) {}

void ResponseRelay::start(const RelayRequest& request, std::string* held) {
  WEIR_ASSERT(!has_begun_);
  request_ = request;
  keeps_client_ = request.facts->client_keeps_alive;
  held_ = held;
  held_->clear();
}

void ResponseRelay::forget_held() {
  held_ = nullptr;
  context_.held_bytes -= reserved_;
  reserved_ = 0;
}

void ResponseRelay::reset() {
  scanner_.reset();
  events_ = http::EventScanner(http::EventScanner::Depth::without_text);
  release_text(&head_);
  forget_held();
  error_ = {};
  status_ = interims_ = 0;
  interim_bytes_ = unread_ = 0;
  mode_ = Mode::raw;
  hold_ = Hold::none;
  has_begun_ = has_head_ = is_committed_ = is_event_stream_ = is_encoded_ = false;
  looks_at_events_ = has_first_event_ = is_done_event_seen_ = false;
  backend_may_be_reused_ = is_spoilt_by_interim_ = false;
  is_clean_boundary_ = false;
  passes_declined_ = passes_trailers_ = is_finished_ = false;
}

ResponseRelay::Status ResponseRelay::feed(std::string_view bytes) {
  has_begun_ = true;
  if (!has_head_) {
    const Status status = take_heads(&bytes);
    if (!has_head_ || status != Status::more) return status;
  }
  return feed_body(bytes);
}

// Takes heads up to the one of the answer.
ResponseRelay::Status ResponseRelay::take_heads(std::string_view* bytes) {
  while (!has_head_) {
    const Status status = take_head(bytes);
    if (status == Status::switched) unread_ = bytes->size();
    if (status != Status::more) return status;
    if (!has_head_ && bytes->empty()) return status;
  }
  return Status::more;
}

void ResponseRelay::pass_trailers(std::string_view piece) {
  if (!passes_trailers_) return;
  context_.out.clear();
  http::filter_trailers(piece, context_.options.header_down, &head_, &context_.out);
  pass(context_.out);
}

inline void ResponseRelay::note_event(const http::EventLook& look) {
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

// Looks at the events that end in this piece, up to one that must not reach the client.
inline bool ResponseRelay::look_at_events(std::string_view data) {
  while (!data.empty()) {
    const size_t end = events_.next_event_end(data);
    if (end == http::EventScanner::kNone) break;
    const http::EventLook& look = events_.look();
    if (look.is_abort && !context_.options.passes_aborted) return false;
    note_event(look);
    data.remove_prefix(end);
  }
  return true;
}

ResponseRelay::Status ResponseRelay::feed_body(std::string_view bytes) {
  // What most reads of a stream are.
  const std::string_view content = reader_.whole_chunk(bytes);
  if (content.empty() || mode_ != Mode::raw) return feed_pieces(bytes);
  report_.bytes_out += content.size();
  if (looks_at_events_) {
    if (!look_at_events(content)) return fail_aborted({}, is_clean_boundary_);
    is_clean_boundary_ = events_.is_at_event_boundary();
  } else {
    is_clean_boundary_ = true;
  }
  pass(bytes);
  return Status::more;
}

ResponseRelay::Status ResponseRelay::feed_pieces(std::string_view bytes) {
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
      case http::BodyReader::PieceKind::trailer:
        pass(bytes.substr(run_begin, cursor - run_begin));
        pass_trailers(rest.substr(0, piece.length));
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

// False when there is an event in it that must not reach the client.
bool ResponseRelay::take_data(std::string_view data) {
  report_.bytes_out += data.size();
  if (looks_at_events_ && !look_at_events(data)) return false;
  if (mode_ != Mode::raw) pass_data(data);
  return true;
}

void ResponseRelay::pass_or_hold(std::string_view run) {
  const bool is_over =
      hold_ == Hold::none || (hold_ == Hold::first_event && has_first_event_) ||
      (hold_ == Hold::first_event && held_->size() + run.size() > context_.options.hold_bytes);
  if (!is_over) {
    held_->append(run);
    return;
  }
  is_committed_ = true;
  report_.status = status_;
  sink_.write_to_client(*held_, run);
  forget_held();
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
    std::string_view body = *held_;
    body.remove_prefix(held_head_);
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
  is_finished_ = true;
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
  http::append_error_event(request_.facts->shape, kind, message, &event);
  char line[18];
  const size_t n = http::write_chunk_size(event.size(), line);
  std::string chunk(line, n);
  chunk += event;
  chunk += "\r\n";
  sink_.write_to_client(chunk, {});
  return true;
}

}  // namespace weir
