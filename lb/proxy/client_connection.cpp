#include "lb/proxy/client_connection.h"

#include <algorithm>

#include "weir/assert.h"

#include "lb/http/error_response.h"
#include "lb/proxy/local_answers.h"
#include "lb/proxy/proxy_context.h"

namespace weir {
namespace {

constexpr size_t kInPlaceBytes = 32 * 1024;  // still to come: less is copied
constexpr int kPieces = 16;                  // of one read

}  // namespace

ClientConnection::ClientConnection(ProxyContext& context, ClientConnectionOwner& owner)
    : context_(context),
      owner_(owner),
      stream_(context.loop, context.output_blocks),
      deadline_(context.loop.timers(), bind<&ClientConnection::on_deadline>(this)),
      continue_(context.loop, bind<&ClientConnection::on_continue>(this)) {}

ClientConnection::~ClientConnection() = default;

bool ClientConnection::open(UniqueFd fd, const SocketAddress& peer) {
  peer_ = peer.host();
  is_trusted_proxy_ =
      std::ranges::any_of(context_.options.trusted_proxies,
                          [this](const Subnet& subnet) { return subnet.contains(peer_); });
  if (!stream_.open(std::move(fd), bind<&ClientConnection::on_ready>(this))) return false;
  await_request();
  return true;
}

void ClientConnection::await_request() {
  state_ = State::reading_head;
  has_begun_head_ = false;
  scanner_.reset();
  deadline_.set_after(context_.options.idle);
}

void ClientConnection::on_ready(Readiness readiness) {
  if (state_ == State::tunnel) {
    on_tunnel_ready(readiness);
    return;
  }
  if (readiness.writable && stream_.queued() > 0) on_writable();
  if (state_ == State::closed) return;
  if (readiness.hangup && state_ != State::lingering && context_.options.fin_is_leaving) {
    on_left();
    return;
  }
  if (readiness.readable && !may_read()) look_for_reset();
  if (readiness.readable || readiness.hangup) read_more();
}

void ClientConnection::on_writable() {
  if (stream_.flush() == Stream::WriteStatus::failed) {
    on_left();
    return;
  }
  if (stream_.queued() > 0) {
    deadline_.set_after(context_.options.write_stall);  // it took something
  } else if (state_ == State::flushing) {
    linger();
  } else if (state_ == State::busy && exchange_->is_request_complete()) {
    deadline_.clear();
  }
  if (state_ == State::busy && stream_.queued() < kLowWater) exchange_->on_client_drained();
}

void ClientConnection::on_output_queued() {
  if (!deadline_.is_set()) deadline_.set_after(context_.options.write_stall);
}

bool ClientConnection::may_read() const {
  switch (state_) {
    case State::reading_head:
      return true;
    case State::busy:
      return input_.empty() && exchange_->wants_request_body();
    case State::lingering:
      return true;
    case State::tunnel:  // its exchange reads
    case State::flushing:
    case State::closed:
      return false;
  }
  return false;
}

void ClientConnection::read_more() {
  while (may_read() && stream_.is_readable()) {
    if (state_ == State::lingering) {
      discard_input();
      return;
    }
    if (reads_in_place()) {
      if (!read_in_place()) return;
      continue;
    }
    const Stream::ReadResult result =
        stream_.read(context_.scratch.data(), context_.scratch.size());
    if (result.status == Stream::ReadStatus::would_block) return;
    if (result.status != Stream::ReadStatus::data) {
      on_left();
      return;
    }
    on_bytes({context_.scratch.data(), result.bytes});
  }
}

bool ClientConnection::reads_in_place() const {
  return state_ == State::busy && body_.kind() == http::BodyKind::length &&
         body_.remaining() >= kInPlaceBytes;
}

// The rest of a large body goes from the socket to where it is kept, without a copy between. False
// when there is no more to read now.
bool ClientConnection::read_in_place() {
  iovec pieces[kPieces];
  const int count = exchange_->make_room_for_body(pieces, kPieces, body_.remaining());
  if (count == 0) {
    exchange_->refuse(Error{ErrorKind::out_of_memory, false, 0});
    return false;
  }
  const Stream::ReadResult result = stream_.read(pieces, count);
  if (result.status != Stream::ReadStatus::data) {
    exchange_->on_request_body_grown(0);
    if (result.status != Stream::ReadStatus::would_block) on_left();
    return false;
  }
  is_processing_ = true;
  body_.skip(result.bytes);
  deadline_.set_after(context_.options.request_body);
  exchange_->on_request_body_grown(result.bytes);
  if (state_ == State::busy && body_.is_done()) {
    deadline_.clear();
    exchange_->on_request_end();
  }
  is_processing_ = false;
  return true;
}

void ClientConnection::on_bytes(std::string_view bytes) {
  if (input_.empty()) {
    bytes.remove_prefix(process(bytes));
    if (!bytes.empty() && state_ != State::closed) input_.assign(bytes);
    return;
  }
  input_.append(bytes);
  const size_t used = process(input_);
  if (state_ != State::closed) input_.erase(0, used);
}

// Uses as many of the bytes as it can now; the rest is kept for later.
size_t ClientConnection::process(std::string_view bytes) {
  std::string_view rest = bytes;
  is_processing_ = true;
  if (state_ == State::reading_head) rest.remove_prefix(process_head(rest));
  if (state_ == State::busy) rest.remove_prefix(process_body(rest));
  if (state_ == State::busy && exchange_->state() == Exchange::State::idle) exchange_->start();
  is_processing_ = false;
  return bytes.size() - rest.size();
}

size_t ClientConnection::process_head(std::string_view bytes) {
  const size_t skipped = scanner_.head_length() == 0 ? http::skip_empty_lines(bytes) : 0;
  std::string_view head = bytes;
  head.remove_prefix(skipped);
  if (head.empty()) return skipped;
  if (!has_begun_head_) {
    size_t length = 0;  // most heads are whole and plain
    const http::RequestHead* whole =
        context_.request_parser.take_request(head, context_.options.head_limits, &length);
    if (whole != nullptr) return begin_exchange(*whole) ? skipped + length : bytes.size();
    has_begun_head_ = true;
    deadline_.set_after(context_.options.request_head);
  }
  switch (scanner_.scan(head, context_.options.head_limits.head_bytes)) {
    case http::HeadState::incomplete:
      return skipped;
    case http::HeadState::bad:
      refuse_head(ErrorKind::bad_request);
      return bytes.size();
    case http::HeadState::too_large:
      refuse_head(ErrorKind::head_too_large);
      return bytes.size();
    case http::HeadState::complete:
      break;
  }
  const size_t length = scanner_.head_length();
  return handle_head(head.substr(0, length)) ? skipped + length : bytes.size();
}

bool ClientConnection::handle_head(std::string_view bytes) {
  const auto parsed = context_.request_parser.parse_request(bytes, context_.options.head_limits);
  if (!parsed) {
    refuse_head(parsed.error().kind);
    return false;
  }
  return begin_exchange(**parsed);
}

// False when it was refused.
bool ClientConnection::begin_exchange(const http::RequestHead& head) {
  const http::PathVerdict verdict = http::judge_path(head.path, context_.options.paths);
  deadline_.clear();
  if (head.framing.kind != http::BodyKind::none) deadline_.set_after(context_.options.request_body);
  state_ = State::busy;
  body_.start(head.framing);
  exchange_ = context_.take_exchange();
  exchange_->begin(*this, head, verdict, {peer_, is_trusted_proxy_});
  const ErrorKind access = check_access(head);
  if (access != ErrorKind::internal) {
    exchange_->refuse(Error{access, false, 0});
  } else if (is_local_path(verdict, context_.options.paths)) {
    exchange_->answer_locally(local_health(context_));
  } else if (!verdict.is_allowed) {
    exchange_->refuse(Error{verdict.refusal, false, 0});
  } else if (context_.is_draining) {
    exchange_->refuse(Error{ErrorKind::draining, false, 0});
  }
  return state_ == State::busy || state_ == State::reading_head;
}

// `internal` means: may pass.
ErrorKind ClientConnection::check_access(const http::RequestHead& head) {
  if (context_.options.required_key.empty()) return ErrorKind::internal;
  if (!was_gate_asked_ && context_.gate != nullptr) {
    was_gate_asked_ = true;
    is_trusted_ = context_.gate->may_pass(stream_.fd());
  }
  if (is_trusted_ || has_key(head, context_.options.required_key)) return ErrorKind::internal;
  return ErrorKind::unauthorized;
}

size_t ClientConnection::process_body(std::string_view bytes) {
  std::string_view rest = bytes;
  while (state_ == State::busy && !exchange_->is_request_complete()) {
    if (!rest.empty() && !exchange_->wants_request_body() && !exchange_->waits_for_continue())
      break;
    const http::BodyReader::Piece piece = body_.next(rest);
    if (piece.kind == http::BodyReader::PieceKind::more) break;
    if (piece.kind == http::BodyReader::PieceKind::bad) {
      exchange_->refuse(Error{ErrorKind::bad_request, false, 0});
      break;
    }
    if (piece.kind == http::BodyReader::PieceKind::end) {
      deadline_.clear();
      exchange_->on_request_end();
      break;
    }
    const std::string_view taken(rest.data(), piece.length);
    rest.remove_prefix(piece.length);
    if (piece.kind == http::BodyReader::PieceKind::data) {
      deadline_.set_after(context_.options.request_body);
      exchange_->on_request_body(taken);
    }
  }
  return bytes.size() - rest.size();
}

void ClientConnection::resume_request_body() {
  if (state_ == State::tunnel) continue_.post();
  if (state_ != State::busy) return;
  if (!exchange_->is_request_complete()) deadline_.set_after(context_.options.request_body);
  continue_.post();
}

// A later turn: bytes that were left over, or more to read.
void ClientConnection::on_continue() {
  if (state_ == State::closed) return;
  if (state_ == State::tunnel) {
    on_tunnel_ready({true, false, false});
    return;
  }
  if (!input_.empty()) {
    std::string input;
    input.swap(input_);
    on_bytes(input);
  }
  if (state_ != State::flushing) read_more();
}

// A later turn hands over what was read and not used: we may be in the middle of that.
void ClientConnection::on_tunnel_begun() {
  state_ = State::tunnel;
  deadline_.clear();
  continue_.post();
}

void ClientConnection::on_tunnel_ready(Readiness readiness) {
  if (!input_.empty()) {
    std::string input;
    input.swap(input_);
    exchange_->on_tunnel_input(input);
  }
  if (state_ == State::tunnel) exchange_->on_tunnel_ready(readiness);
}

void ClientConnection::on_client_broken() {
  on_left();
}

void ClientConnection::look_for_reset() {
  if (state_ != State::closed && stream_.pending_error() != 0) on_left();
}

}  // namespace weir
