#include "lb/proxy/tunnel.h"

#include <algorithm>
#include <array>

#include "lb/http/ascii.h"
#include "lb/proxy/proxy_options.h"

namespace weir {
namespace {

constexpr int kReadsPerTurn = 8;
constexpr std::array<std::string_view, 1> kRealtimePaths{"/v1/realtime"};

bool is_http2(std::string_view protocol) {
  return http::equals_lower(protocol, "h2c") || http::equals_lower(protocol, "h2");
}

}  // namespace

std::string_view passing_upgrade(const http::RequestHead& head, const http::PathVerdict& verdict,
                                 http::PathMode mode) {
  const std::string_view protocol = head.upgrade;
  if (protocol.empty() || !verdict.is_allowed) return {};
  // "HTTP/2.0" and "TLS/1.0" are no tokens.
  if (!http::is_all(http::kTokenChar, protocol) || is_http2(protocol)) return {};
  if (mode != http::PathMode::inference) return protocol;
  const bool is_realtime = std::ranges::find(kRealtimePaths, head.path) != kRealtimePaths.end();
  return is_realtime && http::equals_lower(protocol, "websocket") ? protocol : std::string_view();
}

Tunnel::Tunnel(Stream& client, Stream& backend, std::span<char> scratch)
    : scratch_(scratch),
      from_client_{client, backend, Status::client_broke, Status::backend_broke},
      from_backend_{backend, client, Status::backend_broke, Status::client_broke} {}

Tunnel::Status Tunnel::add(Side from, std::string_view bytes) {
  Way& it = way(from);
  if (bytes.empty()) return Status::open;
  it.bytes += bytes.size();
  return it.to.write(bytes) == Stream::WriteStatus::failed ? it.to_broke : Status::open;
}

Tunnel::Status Tunnel::on_readable(Side side) {
  return move(way(side));
}

Tunnel::Status Tunnel::on_writable(Side side) {
  Way& into = way(side == Side::client ? Side::backend : Side::client);
  if (into.to.queued() == 0) return Status::open;
  if (into.to.flush() == Stream::WriteStatus::failed) return into.to_broke;
  return into.to.queued() < kLowWater ? move(into) : Status::open;
}

Tunnel::Status Tunnel::move(Way& it) {
  for (int reads = 0; !it.has_ended && it.from.is_readable(); ++reads) {
    if (it.to.queued() > kHighWater) return Status::open;  // on_writable goes on
    if (reads == kReadsPerTurn) return Status::busy;
    const Stream::ReadResult result = it.from.read(scratch_.data(), scratch_.size());
    if (result.status == Stream::ReadStatus::would_block) break;
    if (result.status == Stream::ReadStatus::failed) return it.from_broke;
    if (result.status == Stream::ReadStatus::end) {
      it.has_ended = true;
      break;
    }
    it.bytes += result.bytes;
    if (it.to.write({scratch_.data(), result.bytes}) == Stream::WriteStatus::failed) {
      return it.to_broke;
    }
  }
  return settle(it);
}

Tunnel::Status Tunnel::settle(Way& it) {
  if (it.has_ended && !it.was_closed && it.to.queued() == 0) {
    it.to.shutdown_write();
    it.was_closed = true;
  }
  return from_client_.was_closed && from_backend_.was_closed ? Status::closed : Status::open;
}

}  // namespace weir
