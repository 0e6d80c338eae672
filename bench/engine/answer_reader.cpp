#include "bench/engine/answer_reader.h"

#include <string.h>

#include <algorithm>
#include <charconv>

#include "bench/engine/answer_text_look.h"

namespace weir {
namespace {

constexpr size_t kMostBody = size_t{4} << 20;  // of a plain answer or an error; the rest is dropped
constexpr size_t kMostEvent = size_t{256} << 10;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

int32_t as_count(int64_t number) {
  return static_cast<int32_t>(std::clamp<int64_t>(number, -1, 1'000'000'000));
}

}  // namespace

void AnswerReader::start(RequestRecord& record, bool wants_stream, bool keeps_text) {
  scanner_.reset();
  events_ = http::EventScanner();
  record_ = &record;
  head_.clear();
  kept_.clear();
  gaps_.clear();
  texts_.finish_reason.clear();
  texts_.error.clear();
  texts_.backend.clear();
  texts_.text.clear();
  coalesced_ = 0;
  broken_by_ = 0;
  part_ = Part::head;
  wants_stream_ = wants_stream;
  keeps_text_ = keeps_text;
  has_begun_ = keeps_alive_ = is_broken_ = is_closed_ = false;
  has_finish_ = is_abort_ = is_error_ = has_text_ = false;
}

AnswerReader::Status AnswerReader::feed(std::string_view bytes, int64_t now_ns) {
  if (!has_begun_) {
    has_begun_ = true;
    record_->first_byte_ns = now_ns;
  }
  record_->bytes_in += bytes.size();
  coalesced_ = tokens_of_feed_ = 0;
  while (part_ == Part::head) {
    if (bytes.empty()) return Status::more;
    if (take_head(&bytes) == Status::broken) return Status::broken;
  }
  while (true) {
    using Kind = http::BodyReader::PieceKind;
    const http::BodyReader::Piece piece = body_.next(bytes);
    if (piece.kind == Kind::data) take_data(bytes.substr(0, piece.length), now_ns);
    bytes.remove_prefix(piece.length);
    if (piece.kind == Kind::more) return Status::more;
    if (piece.kind == Kind::end) {
      record_->has_proper_end = true;
      keeps_alive_ = keeps_alive_ && bytes.empty();
      return Status::done;
    }
    if (piece.kind == Kind::bad) {
      is_broken_ = true;
      texts_.error = "the body's framing is not valid";
      return Status::broken;
    }
  }
}

// Takes an interim head, or the head, or all there is of it; then `bytes` is what stands behind.
AnswerReader::Status AnswerReader::take_head(std::string_view* bytes) {
  const http::HeadLimits limits;
  std::string_view all = *bytes;
  size_t before = 0;
  if (!head_.empty()) {
    before = head_.size();
    head_.append(*bytes);
    all = head_;
  }
  switch (scanner_.scan(all, limits.head_bytes)) {
    case http::HeadState::incomplete:
      if (head_.empty()) head_.assign(*bytes);
      *bytes = {};
      return Status::more;
    case http::HeadState::bad:
    case http::HeadState::too_large:
      is_broken_ = true;
      texts_.error = "the head of the answer is not valid HTTP";
      return Status::broken;
    case http::HeadState::complete:
      break;
  }
  const size_t length = scanner_.head_length();
  const Result<const http::ResponseHead*> head =
      parser_.parse_response(all.substr(0, length), http::Method::post, false, limits);
  if (!head) {
    is_broken_ = true;
    texts_.error = "not a valid answer: " + std::string(parser_.why());
    return Status::broken;
  }
  const bool is_interim = (*head)->status < 200;
  if (!is_interim) accept_head(**head);
  bytes->remove_prefix(length - before);
  head_.clear();
  scanner_.reset();
  return Status::more;
}

void AnswerReader::accept_head(const http::ResponseHead& head) {
  record_->status = static_cast<uint16_t>(head.status);
  record_->is_streamed = head.is_event_stream;
  keeps_alive_ = head.keep_alive;
  part_ = head.is_event_stream && head.status == 200 ? Part::events : Part::body;
  body_.start(head.framing);
  texts_.backend = head.fields.find("x-weir-backend").value_or("");
  const std::string_view attempts = head.fields.find("x-weir-attempts").value_or("");
  std::from_chars(attempts.data(), attempts.data() + attempts.size(), record_->attempts);
}

void AnswerReader::take_data(std::string_view data, int64_t now_ns) {
  if (part_ == Part::events) {
    take_events(data, now_ns);
  } else {
    kept_.append(data.substr(0, kMostBody - std::min(kept_.size(), kMostBody)));
  }
}

void AnswerReader::take_events(std::string_view data, int64_t now_ns) {
  while (!data.empty()) {
    const size_t end = events_.next_event_end(data);
    if (end == http::EventScanner::kNone) {
      if (kept_.size() + data.size() <= kMostEvent) kept_.append(data);
      return;
    }
    if (kept_.empty()) {
      note_event(data.substr(0, end), now_ns);
    } else {
      kept_.append(data.substr(0, std::min(end, kMostEvent)));
      note_event(kept_, now_ns);
      kept_.clear();
    }
    data.remove_prefix(end);
  }
}

void AnswerReader::note_event(std::string_view event, int64_t now_ns) {
  const http::EventLook& look = events_.look();
  if (!look.has_data) return;
  ++record_->events;
  if (record_->first_event_ns == kNoTime) record_->first_event_ns = now_ns;
  if (look.is_error) {
    is_error_ = true;
    texts_.error = error_message(event);
    return;
  }
  if (look.is_done) record_->has_done = true;
  if (look.has_text) {
    if (record_->first_content_ns == kNoTime && has_content(event)) {
      record_->first_content_ns = now_ns;
    }
    note_token(now_ns);
    if (keeps_text_) keep_text(event);
  }
  if (look.has_finish) has_finish_ = true;
  if (look.is_abort) is_abort_ = true;
  if (look.prompt_tokens >= 0 || look.completion_tokens >= 0) note_usage(event);
}

void AnswerReader::note_token(int64_t now_ns) {
  has_text_ = true;
  ++record_->token_events;
  if (++tokens_of_feed_ > 1) ++coalesced_;
  if (record_->first_token_ns == kNoTime) {
    record_->first_token_ns = now_ns;
  } else {
    const int64_t ticks = (now_ns - record_->last_token_ns + kGapTick_ns / 2) / kGapTick_ns;
    gaps_.push_back(static_cast<uint32_t>(std::clamp<int64_t>(ticks, 0, kLongestGap)));
  }
  record_->last_token_ns = now_ns;
}

void AnswerReader::note_usage(std::string_view text) {
  const size_t usage = text.find("\"usage\"");
  if (usage == text.npos) return;
  text.remove_prefix(usage);
  const int64_t prompt = json_number_of(text, "prompt_tokens");
  const int64_t completion = json_number_of(text, "completion_tokens");
  const int64_t cached = json_number_of(text, "cached_tokens");
  if (prompt >= 0) record_->prompt_tokens = as_count(prompt);
  if (completion >= 0) record_->output_tokens = as_count(completion);
  if (cached >= 0) record_->cached_tokens = as_count(cached);
}

void AnswerReader::keep_text(std::string_view event) {
  texts_.text.append(
      content_of(event).substr(0, kMostBody - std::min<size_t>(texts_.text.size(), kMostBody)));
}

AnswerReader::Status AnswerReader::on_close(int os_error) {
  is_closed_ = true;
  broken_by_ = os_error;
  if (part_ == Part::head || os_error != 0 || !body_.ends_well_at_close()) return Status::broken;
  record_->has_proper_end = true;
  keeps_alive_ = false;
  return Status::done;
}

void AnswerReader::fault(RequestOutcome outcome, RequestFault what) {
  record_->outcome = outcome;
  record_->fault = what;
}

void AnswerReader::judge() {
  using enum RequestOutcome;
  const int status = record_->status;
  if (texts_.error.empty() && is_closed_ && !record_->has_proper_end) {
    texts_.error = broken_by_ != 0 ? ::strerror(broken_by_) : "the connection was closed";
  }
  if (status == 0) {
    fault(failed, is_broken_ ? RequestFault::bad_http : RequestFault::reset_early);
    return;
  }
  if (status != 200) {
    if (texts_.error.empty() || !kept_.empty()) texts_.error = error_message(kept_);
    const bool is_busy = status == kTooManyRequests || status == kUnavailable;
    const RequestFault by_status = status >= 500 ? RequestFault::http_5xx : RequestFault::http_4xx;
    fault(is_busy ? rejected : failed, is_busy ? RequestFault::busy : by_status);
    return;
  }
  if (part_ == Part::events) {
    judge_stream();
  } else {
    judge_body();
  }
}

void AnswerReader::judge_stream() {
  using enum RequestOutcome;
  texts_.finish_reason = events_.finish_reason();
  const bool is_cut = is_broken_ || !record_->has_proper_end;
  if (is_error_ || texts_.finish_reason == "error")
    return fault(has_text_ ? truncated : failed, RequestFault::error_event);
  if (is_abort_) return fault(truncated, RequestFault::aborted);
  if (is_cut) return fault(has_text_ ? truncated : failed, RequestFault::cut);
  if (!has_text_ && !has_finish_) return fault(failed, RequestFault::empty);
  if (!has_finish_) return fault(truncated, RequestFault::no_finish);
  if (!record_->has_done) return fault(truncated, RequestFault::no_done);
  if (!has_text_ && record_->output_tokens <= 0) return fault(failed, RequestFault::empty);
  fault(ok, RequestFault::none);
}

void AnswerReader::judge_body() {
  using enum RequestOutcome;
  if (is_broken_ || !record_->has_proper_end) return fault(truncated, RequestFault::cut);
  const std::string_view reason = json_string_of(kept_, "finish_reason");
  texts_.finish_reason = reason.substr(0, 31);
  note_usage(kept_);
  if (wants_stream_) {
    texts_.error = error_message(kept_);
    return fault(failed, RequestFault::no_event_stream);
  }
  if (std::string_view(kept_).starts_with("{\"error\"")) {
    texts_.error = error_message(kept_);
    return fault(failed, RequestFault::error_event);
  }
  if (reason == "abort") return fault(truncated, RequestFault::aborted);
  if (reason == "error") return fault(truncated, RequestFault::error_event);
  if (content_of(kept_).empty() && record_->output_tokens <= 0) {
    return fault(failed, RequestFault::empty);
  }
  if (reason.empty()) return fault(truncated, RequestFault::no_finish);
  if (keeps_text_) texts_.text = content_of(kept_);
  fault(ok, RequestFault::none);
}

}  // namespace weir
