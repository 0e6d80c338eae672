#include "bench/mock/connection.h"

#include "bench/mock/generation.h"
#include "bench/mock/pretend_server.h"

namespace weir {
namespace {

constexpr size_t kScratch = 64 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

MockConnection::MockConnection(EventLoop& loop, BlockPool& pool, PretendServer& server)
    : loop_(loop),
      server_(server),
      stream_(loop, pool),
      idle_timer_(loop.timers(), bind<&MockConnection::on_idle_too_long>(this)),
      read_task_(loop, bind<&MockConnection::read_on>(this)) {}

MockConnection::~MockConnection() = default;

bool MockConnection::open(UniqueFd fd) {
  set_no_delay(fd.get());
  return stream_.open(std::move(fd), bind<&MockConnection::on_ready>(this));
}

bool MockConnection::write(std::string_view bytes) {
  if (is_closed_) return false;
  if (stream_.write(bytes) == Stream::WriteStatus::failed) {
    on_client_left();
    return false;
  }
  if (stream_.queued() <= kMostQueued) return true;
  reset();
  return false;
}

void MockConnection::answer(PlainAnswer answer) {
  answer.should_close = answer.should_close || should_close_;
  should_close_ = answer.should_close;
  const bool is_head = request().method == "HEAD";
  if (!write(plain_head(answer, server_.date()))) return;
  if (!is_head && !answer.body.empty() && !write(answer.body)) return;
  finish_response();
}

void MockConnection::finish_and_close() {
  should_close_ = true;
  finish_response();
}

void MockConnection::finish_response() {
  loop_.retire(std::move(generation_));
  is_busy_ = false;
  if (should_close_) {
    close_when_flushed();
    return;
  }
  if (is_reading_) return;
  if (!pending_.empty() || stream_.is_readable()) {
    read_task_.post();
  } else {
    go_idle();
  }
}

void MockConnection::set_generation(std::unique_ptr<Generation> generation) {
  generation_ = std::move(generation);
}

// uvicorn takes a FIN for leaving, too, even behind a whole request.
void MockConnection::on_ready(Readiness readiness) {
  if (is_closed_) return;
  if (stream_.has_hangup() || is_reset(readiness)) {
    on_client_left();
    return;
  }
  if (readiness.writable && stream_.queued() > 0) {
    if (stream_.flush() == Stream::WriteStatus::failed) {
      on_client_left();
      return;
    }
    if (is_closing_ && stream_.queued() == 0) {
      close();
      return;
    }
  }
  read_on();
  // The same edge may have brought a request and the RST behind it.
  if (!is_closed_ && is_reset(readiness)) on_client_left();
}

// A RST comes as readable and writable, without a hangup (libevent maps EPOLLERR so). Whoever reads
// meets it there; while a request is answered nobody reads, so the socket is asked.
bool MockConnection::is_reset(Readiness readiness) const {
  return readiness.readable && is_busy_ && connect_result(stream_.fd()) != 0;
}

void MockConnection::read_on() {
  if (is_closed_ || is_reading_) return;
  is_reading_ = true;
  char scratch[kScratch];
  while (!is_busy_ && !is_closed_ && !is_closing_) {
    if (!pending_.empty()) {
      const std::string bytes = std::move(pending_);
      pending_.clear();
      take(bytes);
      continue;
    }
    const Stream::ReadResult result = stream_.read(scratch, sizeof scratch);
    if (result.status == Stream::ReadStatus::would_block) break;
    if (result.status != Stream::ReadStatus::data) {
      on_client_left();
      break;
    }
    idle_timer_.cancel();
    take({scratch, result.bytes});
  }
  is_reading_ = false;
  if (!is_busy_ && !is_closed_ && !is_closing_ && requests_ > 0 && parser_.is_between_requests() &&
      !idle_timer_.is_armed()) {
    go_idle();
  }
}

void MockConnection::take(std::string_view bytes) {
  const MockRequestParser::Status status = parser_.feed(bytes);
  if (parser_.take_continue() && status == MockRequestParser::Status::incomplete &&
      !write(kContinue))
    return;
  switch (status) {
    case MockRequestParser::Status::incomplete:
      return;
    case MockRequestParser::Status::complete:
      pending_ = bytes;
      begin_request();
      return;
    case MockRequestParser::Status::too_large:
      answer(
          {.status = 413, .body = R"({"detail":"Request body too large"})", .should_close = true});
      return;
    case MockRequestParser::Status::bad:
      if (!write(invalid_request_response(server_.date()))) return;
      finish_and_close();
      return;
  }
}

void MockConnection::begin_request() {
  if (requests_ > 0 && server_.drops_reused(idle_fault_)) {
    reset();
    return;
  }
  ++requests_;
  is_busy_ = true;
  should_close_ = request().should_close;
  server_.handle(*this);
}

void MockConnection::go_idle() {
  const Duration limit = server_.idle_limit(idle_fault_);
  if (limit > Duration::zero()) {
    idle_timer_.start(limit);
  } else {
    close_when_flushed();
  }
}

void MockConnection::on_idle_too_long() {
  close_when_flushed();
}

void MockConnection::close_when_flushed() {
  is_closing_ = true;
  if (stream_.queued() == 0) close();
}

void MockConnection::on_client_left() {
  if (generation_) generation_->on_client_left();
  close();
}

void MockConnection::close() {
  if (is_closed_) return;
  stream_.close();
  let_go();
}

void MockConnection::reset() {
  if (is_closed_) return;
  stream_.reset();
  let_go();
}

void MockConnection::let_go() {
  is_closed_ = true;
  idle_timer_.cancel();
  if (generation_) generation_->stop();
  loop_.retire(std::move(generation_));
  server_.remove(*this);
}

}  // namespace weir
