// An upgraded connection: raw bytes both ways between two streams, with backpressure, and a half
// close passed on as one. Which upgrades pass at all is decided here too. Owned by an Exchange,
// which owns the deadline; the streams are their connections'. Loop thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "lb/http/message_head.h"
#include "lb/http/path_policy.h"
#include "lb/net/stream.h"

namespace weir {

// The protocol that this request may ask its backend to switch to; empty: it is an ordinary request
// and its Upgrade is dropped. Where only known paths pass this is WebSocket on the one that speaks
// it; elsewhere any single protocol without versions, but never HTTP/2 in any guise: it would carry
// requests that nobody here has read.
std::string_view passing_upgrade(const http::RequestHead& head, const http::PathVerdict& verdict,
                                 http::PathMode mode);

class Tunnel {
 public:
  enum class Side : uint8_t { client, backend };
  enum class Status : uint8_t {
    open,
    busy,          // more can be read: come back in a later turn
    closed,        // both sides have closed and everything was delivered
    client_broke,  // reset, or it takes nothing more
    backend_broke,
  };

  // `scratch`: where reads go; between two calls it is others'.
  Tunnel(Stream& client, Stream& backend, std::span<char> scratch);

  // Bytes of this side that were read before the tunnel began.
  Status add(Side from, std::string_view bytes);
  Status on_readable(Side side);
  Status on_writable(Side side);

  uint64_t bytes(Side from) const { return way(from).bytes; }
  uint64_t moved() const { return from_client_.bytes + from_backend_.bytes; }

 private:
  struct Way {
    Stream& from;
    Stream& to;
    Status from_broke;
    Status to_broke;
    uint64_t bytes = 0;
    bool has_ended = false;   // FIN was read
    bool was_closed = false;  // and passed on
  };
  const Way& way(Side from) const { return from == Side::client ? from_client_ : from_backend_; }
  Way& way(Side from) { return from == Side::client ? from_client_ : from_backend_; }
  Status move(Way& way);
  Status settle(Way& way);

  std::span<char> scratch_;
  Way from_client_;
  Way from_backend_;
};

}  // namespace weir
