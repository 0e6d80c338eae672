// Whose process is at the other end of a connection from this host. Any thread; a few microseconds,
// never blocks.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

// The uid that owns the other end of an accepted connection: loopback TCP (asked of the kernel by
// sock_diag, else found in /proc/net/tcp) or unix. Nothing for other hosts, and when the other end
// is already gone or cannot be found.
std::optional<uint32_t> peer_uid(int fd) noexcept;

}  // namespace weir
