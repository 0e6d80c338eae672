#include "lb/config/config.h"

namespace weir {
namespace {

constexpr Duration kOwnRunWriteStall = std::chrono::minutes(10);

}  // namespace

std::string_view to_string(Command command) noexcept {
  switch (command) {
    case Command::serve:
      return "serve";
    case Command::reverse_proxy:
      return "reverse-proxy";
    case Command::urls:
      return "serve";
    case Command::launch:
      return "launch";
  }
  return "unknown";
}

std::string_view to_string(PathSet paths) noexcept {
  switch (paths) {
    case PathSet::inference:
      return "inference";
    case PathSet::all:
      return "all";
    case PathSet::unsafe_all:
      return "unsafe-all";
  }
  return "unknown";
}

std::string_view to_string(HalfClose half_close) noexcept {
  return half_close == HalfClose::abort ? "abort" : "ignore";
}

std::string_view to_string(AbortedAnswer aborted) noexcept {
  return aborted == AbortedAnswer::error ? "error" : "pass";
}

Config default_config(Command command) {
  Config config;
  config.command = command;
  if (command == Command::serve) return config;
  // Somebody's own run: better late than refused.
  config.pool.queue.limit = kUnlimited;
  config.pool.queue.timeout = Duration::zero();
  config.pool.timeouts.first_byte = Duration::zero();
  config.pool.timeouts.request = Duration::zero();
  // A client that somebody has stopped to look at it is no slow client.
  config.listen.front().write_stall = kOwnRunWriteStall;
  if (command == Command::reverse_proxy) config.paths = PathSet::all;
  if (command == Command::launch) config.pool.when_none_ready = WhenNoneReady::wait_while_pending;
  return config;
}

}  // namespace weir
