// Bytes there and bytes back, without a loop: for commands that ask one thing and end. Blocks up to
// `until`; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "weir/result.h"
#include "weir/timer.h"

#include "lb/net/socket.h"

namespace weir {

struct BlockingReply {
  std::string bytes;
  bool has_ended =
      false;  // the other side closed; else time was over, it broke off, or is too long
};

// Of all that came so far: is it enough?
using IsEnough = bool (*)(std::string_view bytes);

// Connects to the first of the addresses that accepts, sends all of the request and reads until the
// other side closes, `is_enough` says so, or more than `most` bytes have come. A Problem's `what`
// is the reason alone.
Result<BlockingReply, Problem> blocking_request(std::span<const SocketAddress> where,
                                                std::string_view request, size_t most,
                                                TimePoint until, IsEnough is_enough = nullptr);

}  // namespace weir
