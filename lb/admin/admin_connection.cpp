#include "lb/admin/admin_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "lb/admin/admin_access.h"
#include "lb/admin/admin_listener.h"
#include "lb/admin/backend_action.h"
#include "lb/http/status_reason.h"

namespace weir {
namespace {

constexpr Duration kForHead = std::chrono::seconds(10);
constexpr Duration kForAnswer = std::chrono::seconds(30);
constexpr Duration kForLingering = std::chrono::seconds(2);
constexpr size_t kLongestHead = 16 * 1024;

// The other end of a unix socket is a process of this user, or of root, who could be anybody.
bool is_own_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

AdminConnection::AdminConnection(EventLoop& loop, BlockPool& blocks, AdminListener& listener)
    : loop_(loop),
      listener_(listener),
      stream_(loop, blocks),
      deadline_(loop.timers(), bind<&AdminConnection::on_too_slow>(this)) {}

bool AdminConnection::open(UniqueFd fd) {
  deadline_.start(kForHead);
  return stream_.open(std::move(fd), bind<&AdminConnection::on_ready>(this));
}

void AdminConnection::close() {
  deadline_.cancel();
  stream_.close();
}

void AdminConnection::on_ready(Readiness readiness) {
  if (state_ == State::answering && readiness.writable) go_on_sending();
  if (!stream_.is_open()) return;
  if (state_ == State::reading) {
    read_head();
  } else if (stream_.is_readable() || stream_.has_hangup()) {
    // Whatever else comes is not looked at; its end is what lingering waits for.
    std::array<char, 4096> scrap;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (true) {
      const Stream::ReadResult read = stream_.read(scrap.data(), scrap.size());
      if (read.status == Stream::ReadStatus::data) continue;
      if (read.status != Stream::ReadStatus::would_block && state_ == State::lingering) end();
      return;
    }
  }
}

void AdminConnection::read_head() {
  std::array<char, 4096> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (true) {
    const Stream::ReadResult read = stream_.read(piece.data(), piece.size());
    if (read.status == Stream::ReadStatus::would_block) return;
    if (read.status != Stream::ReadStatus::data) return end();
    head_.append(piece.data(), read.bytes);
    if (scanner_.head_length() == 0) head_.erase(0, http::skip_empty_lines(head_));
    switch (scanner_.scan(head_, kLongestHead)) {
      case http::HeadState::incomplete:
        break;
      case http::HeadState::complete:
        return answer(std::string_view(head_).substr(0, scanner_.head_length()));
      case http::HeadState::bad:
        return refuse(400, "this is not HTTP/1.1");
      case http::HeadState::too_large:
        return refuse(431, "the head is too large");
    }
  }
}

void AdminConnection::answer(std::string_view head) {
  http::HeadParser parser;
  const Result<const http::RequestHead*> parsed = parser.parse_request(head, http::HeadLimits{});
  if (!parsed) return refuse(traits(parsed.error().kind).status, parser.why());
  const http::RequestHead& request = **parsed;
  AdminRequest asked;
  asked.method = http::to_string(request.method);
  asked.host = request.host;
  asked.origin = request.fields.find("origin").value_or("");
  asked.path = request.path;
  asked.authorization = request.fields.find("authorization").value_or("");
  asked.has_body = request.framing.kind != http::BodyKind::none &&
                   !(request.framing.kind == http::BodyKind::length && request.framing.length == 0);
  asked.is_own_user = is_own_user(stream_.fd());
  const AdminAnswer admitted = admit_admin(asked, listener_.gate());
  const bool is_head = request.method == http::Method::head;
  if (admitted.status != 200) return send(admitted, !is_head);
  const std::optional<BackendAction> action = parse_backend_action(request.path);
  if (action && listener_.actions() != nullptr) {
    return send(answer_action(*action, asked, *listener_.actions(), listener_.view()), !is_head);
  }
  if (request.method == http::Method::post) return send(refuse_post(request.path), true);
  send(answer_admin(request.path, listener_.view(), listener_.metrics()), !is_head);
}

void AdminConnection::refuse(int status, std::string_view why) {
  AdminAnswer answer;
  answer.status = status == 0 ? 400 : status;
  answer.body = std::string(why) + "\n";
  send(answer, true);
}

void AdminConnection::send(const AdminAnswer& answer, bool with_body) {
  std::string head =
      "HTTP/1.1 " + std::to_string(answer.status) + " " +
      std::string(http::status_reason(answer.status)) +
      "\r\nContent-Type: " + std::string(answer.content_type) +
      "\r\nContent-Length: " + std::to_string(answer.body.size()) +
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
  if (!answer.allow.empty()) head += "Allow: " + std::string(answer.allow) + "\r\n";
  if (answer.asks_for_token) head += "WWW-Authenticate: Bearer\r\n";
  head += "\r\n";
  state_ = State::answering;
  deadline_.start(kForAnswer);
  const Stream::WriteStatus status =
      stream_.write(head, with_body ? std::string_view(answer.body) : "");
  if (status == Stream::WriteStatus::failed) return end();
  if (status == Stream::WriteStatus::sent) linger();
}

void AdminConnection::go_on_sending() {
  const Stream::WriteStatus status = stream_.flush();
  if (status == Stream::WriteStatus::failed) return end();
  if (status == Stream::WriteStatus::sent) linger();
}

// FIN, and then until the other side's: a close with unread bytes would be a reset that takes the
// answer with it.
void AdminConnection::linger() {
  state_ = State::lingering;
  stream_.shutdown_write();
  deadline_.start(kForLingering);
  if (stream_.has_hangup()) end();
}

void AdminConnection::on_too_slow() {
  if (state_ == State::reading && !head_.empty()) return refuse(408, "the request came too slowly");
  end();
}

void AdminConnection::end() {
  close();
  listener_.on_closed(*this);
}

}  // namespace weir
