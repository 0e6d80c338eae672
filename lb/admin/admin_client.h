// The other end of the admin side: one request, for `weir status` and `weir drain` and for tools
// that watch a running weir. Blocks up to its time-out; any thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/address.h"
#include "weir/result.h"
#include "weir/timer.h"

namespace weir {

struct AdminReply {
  int status = 0;
  std::string body;
};

inline constexpr size_t kLargestReply = size_t{64} << 20;

// A Problem is: nobody there, no answer in time, or not an answer of HTTP; a status other than 200
// is an AdminReply.
Result<AdminReply, Problem> admin_get(const Address& address, std::string_view path,
                                      Duration timeout);
// Changes something, without a body. `token` is sent if there is one.
Result<AdminReply, Problem> admin_post(const Address& address, std::string_view path,
                                       std::string_view token, Duration timeout);

}  // namespace weir
