// Assertions for programmer errors. They stay in release builds (ADR 0008): a balancer restarts in
// milliseconds, corrupt state does not heal.
#pragma once

namespace weir {

// Writes where and what to stderr and aborts. Any thread.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace weir

#define WEIR_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::assertion_failed(#condition, __FILE__, __LINE__))
